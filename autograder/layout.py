"""The paths of an assignment's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["HOME", "Layout"]


@dataclass(frozen=True)
class Layout:
    """The fixed paths in a copy of the repository, or in an unpacked autograder zip."""

    root: Path

    @property
    def policy(self) -> Path:
        """The one file an instructor edits."""
        return self.root / "grading.yml"

    @property
    def master(self) -> Path:
        """The master: the notebook that instructors write, as text."""
        return self.root / "assignment" / "exercise.md"

    @property
    def first_cell(self) -> Path:
        """The code of the template's first cell."""
        return self.root / "assignment" / "first_cell.py"

    @property
    def images(self) -> Path:
        """The folder with a file of images for each dataset, and their sources."""
        return self.root / "assignment" / "data"

    def data(self, dataset: str) -> Path:
        """Return the file of a dataset: `npz` with x_train, y_train, x_test, y_test."""
        return self.images / f"{dataset}.npz"

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
        """The accuracies of the solution, trained many times (`mnist-kit calibrate`)."""
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
        """Files that no student process may be able to read."""
        tests = sorted(self.tests.glob("*.py")) if self.unpacked else ()
        images = sorted(self.images.glob("*.npz"))
        return (self.policy, self.master, *images, self.solution, self.calibration, self.zip, *tests)

    @property
    def zip(self) -> Path:
        """The autograder for `otter run`, `otter grade` and Gradescope."""
        return self.dist / "autograder.zip"

    @property
    def manifest(self) -> Path:
        """A record of the files that the zip was made from; it exists only in an unpacked zip."""
        return self.root / "kit.json"

    @property
    def unpacked(self) -> bool:
        """True if this is the folder `files` of an unpacked autograder zip."""
        return self.manifest.exists()

    @property
    def tests(self) -> Path:
        """Otter's test files: inside the zip, or in the folder next to `files` if it is unpacked."""
        return self.root.parent / "tests" if self.unpacked else self.zip


HOME = Layout(Path(__file__).resolve().parent.parent)
