"""The paths of files, and those that no student process may read."""

from __future__ import annotations

from pathlib import Path

from autograder.layout import Layout


def test_files_that_decide_about_points_are_secret_with_the_images_of_every_dataset(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.images.mkdir(parents=True)
    for name in ("mnist", "fashion_mnist"):
        layout.data(name).touch()
    secret = {path.relative_to(tmp_path).as_posix() for path in layout.secrets}
    assert secret == {
        "grading.yml",
        "assignment/exercise.md",
        "assignment/data/fashion_mnist.npz",
        "assignment/data/mnist.npz",
        "solutions/solution.ipynb",
        "solutions/calibration.json",
        "dist/autograder.zip",
    }
