"""The paths of an assignment's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["HOME", "Layout"]


@dataclass
class Layout:
    """The fixed paths in a copy of the repository, or in an unpacked autograder zip."""

    root: Path

    def __post_init__(self) -> None:
        self.policy = self.root / "grading.yml"
        """The one file an instructor edits."""
        self.master = self.root / "assignment" / "exercise.md"
        """The master: the notebook that instructors write, as text."""
        self.first_cell = self.root / "assignment" / "first_cell.py"
        """The code of the template's first cell."""
        self.images = self.root / "assignment" / "data"
        """The folder with a file of images for each dataset, and their sources."""
        self.template = self.root / "student_template.ipynb"
        """The notebook students fill in (generated)."""
        self.solution = self.root / "solutions" / "solution.ipynb"
        """The notebook that earns every automatic point (generated)."""
        self.calibration = self.root / "solutions" / "calibration.json"
        """The accuracies of the solution, trained many times (`mnist-kit calibrate`)."""
        self.calibration_plot = self.root / "solutions" / "calibration.png"
        """The same as a picture."""
        self.dist = self.root / "dist"
        """Build products, never committed."""
        self.zip = self.dist / "autograder.zip"
        """The autograder for `otter run`, `otter grade` and Gradescope."""
        self.manifest = self.root / "kit.json"
        """A record of the files that the zip was made from; it exists only in an unpacked zip."""

    def data(self, dataset: str) -> Path:
        """Return the file of a dataset: `npz` with x_train, y_train, x_test, y_test."""
        return self.images / f"{dataset}.npz"

    @property
    def secrets(self) -> tuple[Path, ...]:
        """Files that no student process may be able to read."""
        tests = sorted(self.tests.glob("*.py")) if self.unpacked else ()
        images = sorted(self.images.glob("*.npz"))
        return (self.policy, self.master, *images, self.solution, self.calibration, self.zip, *tests)

    @property
    def unpacked(self) -> bool:
        """True if this is the folder `files` of an unpacked autograder zip."""
        return self.manifest.exists()

    @property
    def tests(self) -> Path:
        """Otter's test files: inside the zip, or in the folder next to `files` if it is unpacked."""
        return self.root.parent / "tests" if self.unpacked else self.zip


HOME = Layout(Path(__file__).resolve().parent.parent)
