"""report.html: a run told on one page that needs nothing else, neither network nor other files."""

from xenconform.reports.page.render import render_html

__all__ = ["render_html"]
