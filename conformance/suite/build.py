"""The job of a build server that a run is part of, as the server tells its jobs of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


def build_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the name and the addresses of a job by the names that Allure has for them, {} where no server is known.

    Addresses that carry a user or a password are left out.
    """
    said = environment.get
    if said("GITHUB_ACTIONS"):
        here = f"{said('GITHUB_SERVER_URL', '')}/{said('GITHUB_REPOSITORY', '')}"
        told = {
            "name": "GitHub Actions",
            "type": "github",
            "url": here,
            "buildOrder": said("GITHUB_RUN_NUMBER", ""),
            "buildName": f"{said('GITHUB_WORKFLOW', '')} #{said('GITHUB_RUN_NUMBER', '')}",
            "buildUrl": f"{here}/actions/runs/{said('GITHUB_RUN_ID', '')}",
        }
    elif said("GITLAB_CI"):
        told = {
            "name": "GitLab CI",
            "type": "gitlab",
            "url": said("CI_PROJECT_URL", ""),
            "buildOrder": said("CI_PIPELINE_IID", ""),
            "buildName": f"{said('CI_JOB_NAME', '')} #{said('CI_JOB_ID', '')}",
            "buildUrl": said("CI_JOB_URL", ""),
        }
    elif said("JENKINS_URL"):
        told = {
            "name": "Jenkins",
            "type": "jenkins",
            "url": said("JENKINS_URL", ""),
            "buildOrder": said("BUILD_NUMBER", ""),
            "buildName": said("BUILD_TAG", ""),
            "buildUrl": said("BUILD_URL", ""),
        }
    else:
        return {}
    return {name: text for name, text in told.items() if text and not (name.lower().endswith("url") and _secret(text))}


def _secret(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    return "@" in parts.netloc or bool(parts.query)
