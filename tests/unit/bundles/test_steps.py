"""A build does what is needed and nothing else."""

from pathlib import Path

import pytest

from bundles.steps import Step, run_step


class Workshop:
    """One step that copies its input, and a record of what it did and said."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source.txt"
        self.source.write_text("one")
        self.result = folder / "result.txt"
        self.stamps = folder / "stamps"
        self.built = 0
        self.said: list[str] = []

    def run(self, *settings: str) -> bool:
        step = Step(
            name="copy", inputs={"source": self.source}, settings=settings, outputs=(self.result,), build=self._build
        )
        return run_step(step, stamps=self.stamps, say=self.said.append)

    def _build(self) -> None:
        self.built += 1
        if self.source.read_text() == "broken":
            raise ValueError("broken")
        self.result.write_text(self.source.read_text())


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_an_unchanged_step_is_not_done_again(workshop: Workshop) -> None:
    assert workshop.run()
    assert not workshop.run()
    assert workshop.built == 1
    assert workshop.said[-1] == "copy      unchanged"


def test_a_changed_input_a_changed_setting_and_a_missing_result_are_reasons_to_build(workshop: Workshop) -> None:
    workshop.run("a")
    workshop.source.write_text("two")
    assert workshop.run("a")
    assert workshop.result.read_text() == "two"
    assert workshop.run("b")
    workshop.result.unlink()
    assert workshop.run("b")
    assert workshop.built == 4


def test_a_build_that_broke_is_done_again(workshop: Workshop) -> None:
    workshop.run()
    workshop.source.write_text("broken")
    with pytest.raises(ValueError, match="broken"):
        workshop.run()
    workshop.source.write_text("one")
    assert workshop.run()
