"""A grading.yml with one of everything, short enough to count its lines."""

from __future__ import annotations

from pathlib import Path

FILE = Path("grading.yml")
SAMPLE = """\
assignment:
  name: first-steps
  title: First steps
  dataset: mnist
  split_seed: 3
questions:
  q1:
    kind: written
    points: 3
    title: Why?
    rubric:
      - {id: fit, points: 1, text: It is fitted.}
      - {id: unseen, points: 2, text: It is not seen.}
    misconceptions:
      - claim: It is faster.
        correction: It is not.
        phrases: [faster]
  q4:
    kind: code
    points: 4
    title: Load
    reports: {train_images_shape: 1, train_labels_length: 3}
  q5:
    kind: code
    points: 6
    title: Build
    layers:
      - {type: Flatten, points: 2}
      - {type: Dense, units: 8, activation: relu, points: 4}
  q6:
    kind: code
    points: 2
    title: Compile
    optimizer: adam
    loss: mean_squared_error
  q7:
    kind: code
    points: 8
    title: Train
    accuracy: {full: 0.95, bands: [[0.8, 4], [0.9, 6]]}
execution:
  timeout_s: 60
feedback:
  show_hidden: hidden
"""
