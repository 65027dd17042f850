"""What a refresh tells of a sync that has changed more than its report names."""

from api.catalog.status import report_of
from api.web.pages.platform.views import RefreshSummary
from pao.core.payloads.catalog import SyncReport


def test_what_is_not_named_is_counted_everywhere() -> None:
    names = tuple(f"tool-{number:02}" for number in range(60))
    report = SyncReport(added=names, refused=("a.yaml",), unnamed={"added": 40})

    assert report.summary() == "100 added, 0 changed, 0 removed, 0 files checked, 1 refused"
    assert report.document()["unnamed"] == {"added": 40}
    told = report_of(report).model_dump(mode="json")
    assert len(told["added"]) == 60
    assert told["unnamed"] == {"added": 40, "changed": 0, "removed": 0, "refused": 0}
    assert RefreshSummary.of(report).changes == [
        ("Added", names[:50], 50),
        ("Refused", ("a.yaml",), 0),
    ]


def test_a_report_that_names_everything_does_not_speak_of_more() -> None:
    report = SyncReport(changed=("a",))
    assert "unnamed" not in report.document()
    assert "unnamed" not in report_of(report).model_dump(mode="json")
