"""The folder of results that Allure makes its report of: one test a clause × element, its wire formats as steps."""

from xenconform.reports.allure.write import clear_allure, write_allure

__all__ = ["clear_allure", "write_allure"]
