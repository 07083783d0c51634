"""Describe the environment variables that rolecall reads, apart from those of options."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "ROLECALL_TOKEN": "Usual name for the org's token, if the configuration has `token: {env: ROLECALL_TOKEN}`.",
    "ROLECALL_TOKEN_HOST": "The only host that the org's token may be sent to, as HOST or HOST:PORT. Required in CI "
    "for an org with an API.",
    "ROLECALL_PEOPLE_HOST": "Likewise for the token of the source of users (`people`).",
    "ROLECALL_IDP_HOST": "Likewise for the credentials of `idp`.",
    "ROLECALL_IDP_APP": "The only app in the IdP that the connection in `idp` may be about, by its ID. Required by "
    "apply in CI with `idp.okta.write`.",
    "ROLECALL_JOURNAL": "URL of the journal, sqlite:PATH or postgresql://... Required in CI, where files are lost.",
    "ROLECALL_SECRETS_DIR": "Folder outside the repository in which {file: PATH} may read secrets.",
    "ROLECALL_ALLOW_EXEC": "Set it to 1 to allow {exec: [COMMAND, ...]} to run a command that prints a secret.",
    "ROLECALL_MASK_KEY": "Key for --people masked. Default: .rolecall/mask.key, which is created when needed.",
    "ROLECALL_ACTOR": "Who runs rolecall, for the journal. Default: the user of the pipeline, or the operating "
    "system's user.",
    "ROLECALL_AUTHOR": "Author of the change, for guards.approval other_person, if git does not tell.",
    "ROLECALL_COMMIT": "Commit of the configuration, for the journal. Default: that of the pipeline, or of git.",
    "ROLECALL_BRANCH": "Branch of the configuration, for the journal.",
    "ROLECALL_RELATION": "How the commit relates to the one applied last, if the clone lacks it. Set by the action.",
    "ROLECALL_CI_RUN": "URL of the pipeline's run, for the journal.",
    "ROLECALL_PULL_REQUEST": "URL of the pull request, for the journal.",
    "ROLECALL_GITLAB_TOKEN": "Token with which doctor reads the protected environments of a GitLab project.",
    "ROLECALL_IMAGE": "Container image for the GitLab pipeline of `rolecall init --ci gitlab`.",
    "CI": "Set by pipelines. Users are then shown as counts, and apply requires a persistent journal and "
    "ROLECALL_TOKEN_HOST.",
    "NO_COLOR, FORCE_COLOR": "Turn colors off, or on if the output is not a terminal.",
}
"""Variable -> what it is for. Names starting with ROLECALL_ that are neither here nor an option's are misspelled."""
