"""Where the files of an assignment stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["HOME", "Layout"]


@dataclass(frozen=True)
class Layout:
    """The fixed places inside one copy of the repository (or of the unpacked autograder zip)."""

    root: Path

    @property
    def policy(self) -> Path:
        """The one file an instructor edits."""
        return self.root / "grading.yml"

    @property
    def master(self) -> Path:
        """The authored text notebook."""
        return self.root / "assignment" / "exercise.md"

    @property
    def first_cell(self) -> Path:
        """The code of the template's first cell."""
        return self.root / "assignment" / "first_cell.py"

    @property
    def data(self) -> Path:
        """The images and labels, `npz` with x_train, y_train, x_test, y_test."""
        return self.root / "assignment" / "data" / "mnist.npz"

    @property
    def template(self) -> Path:
        """The notebook students fill in (generated)."""
        return self.root / "student_template.ipynb"

    @property
    def solution(self) -> Path:
        """The notebook that earns every automatic point (generated)."""
        return self.root / "solutions" / "solution.ipynb"

    @property
    def calibration(self) -> Path:
        """What the solution reached when it was trained many times (`mnist-kit calibrate`)."""
        return self.root / "solutions" / "calibration.json"

    @property
    def calibration_plot(self) -> Path:
        """The same as a picture."""
        return self.calibration.with_suffix(".png")

    @property
    def dist(self) -> Path:
        """Build products, never committed."""
        return self.root / "dist"

    @property
    def secrets(self) -> tuple[Path, ...]:
        """What no student process may be able to read."""
        tests = sorted(self.tests.glob("*.py")) if self.unpacked else ()
        return (self.policy, self.master, self.data, self.solution, self.calibration, self.zip, *tests)

    @property
    def zip(self) -> Path:
        """What `otter run`, `otter grade` and Gradescope take."""
        return self.dist / "autograder.zip"

    @property
    def manifest(self) -> Path:
        """Says what the zip was made from; in the zip's `files`, and so only in an unpacked one."""
        return self.root / "kit.json"

    @property
    def unpacked(self) -> bool:
        """Whether this is the folder `files` of an unpacked autograder zip."""
        return self.manifest.exists()

    @property
    def tests(self) -> Path:
        """Otter's test files: in the zip, or the folder beside `files` in an unpacked one."""
        return self.root.parent / "tests" if self.unpacked else self.zip


HOME = Layout(Path(__file__).resolve().parent.parent)
