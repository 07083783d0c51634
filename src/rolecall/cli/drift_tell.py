"""`drift --notify` and `drift --metrics-file`: tell people what is news, and machines what was measured."""

from __future__ import annotations

from rolecall.cli.drift_present import redacted_found
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.desired import Config
from rolecall.drift.value import Found
from rolecall.errors import Exit, Misuse, Problem
from rolecall.journal.port import Journal
from rolecall.plan.saved.privacy import Shown


def notify(
    call: Invocation, config: Config, journal: Journal | None, found: Found, url: str, people: Shown | None
) -> Exit:
    """Post what is news at an address, once. People are counted unless `--people` or the config says otherwise.

    A notice that does not get through leaves 1, and is told again by the next look.
    """
    from rolecall.jobs.drift import news, note_of, told
    from rolecall.live.http.proxies import ProxyProblemError, connection
    from rolecall.outside.notices import Notice, NotTold, post
    from rolecall.report.builders.notice import notice_document, notice_text

    if journal is None:
        hint = "leave out --snapshot; with --baseline the journal must be there"
        raise Misuse(Problem("notify", "--notify needs a journal, to know what was told before", None, hint))
    found_news = news(found, told(journal, found.org.id, url))
    if found_news.any:
        mode: Shown = people or config.reports_people or "counts"
        shown = redacted_found(call, config, found, mode)
        new = [*(row.fingerprint for row in found_news.drifts), *(alarm.fingerprint for alarm in found_news.alarms)]
        notice = Notice(notice_text(shown, new, found_news.cleared), notice_document(shown, new, found_news.cleared))
        try:
            proxy, trusted = connection(url.removeprefix("slack:"), environment=True)
            post(url, notice, proxy=proxy, trusted=trusted)
        except ProxyProblemError as error:
            message = f"The notification was not delivered: {error.problem.message}"
            tell([error.problem._replace(message=message)], as_json=call.log_format == "json", color=call.color)
            return Exit.ERROR
        except NotTold as error:
            tell(error.problems, as_json=call.log_format == "json", color=call.color)
            return Exit.ERROR
    journal.keep(found.org.id, note_of(url), dict(found_news.now) or None)
    return Exit.OK
