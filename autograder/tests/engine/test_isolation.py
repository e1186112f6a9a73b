"""The confinement that is required of a machine, and the message if it falls short."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.commands.doctor import check_machine
from autograder.engine import isolation
from autograder.engine.isolation import NO_PLAN, ConfinementPlan, Examination
from autograder.errors import SetupError
from autograder.sandbox.confine import LayerStatus

LAYERS = ("no capabilities", "rlimits", "network namespace", "no new privileges", "landlock", "seccomp")
PLAN = ConfinementPlan("Linux, not root", False, ("rlimits", "no new privileges", "seccomp", "landlock"))


def offers(*missing: str) -> tuple[LayerStatus, ...]:
    return tuple(LayerStatus(layer, layer not in missing, "ENOSYS" if layer in missing else "") for layer in LAYERS)


def shown(examination: Examination) -> str:
    return "\n".join(f"{f.status} {f.title}: {f.detail} {f.remedy}" for f in check_machine(examination))


def test_this_machine_is_examined_layer_by_layer() -> None:
    examination = isolation.examine()
    assert examination.plan is not NO_PLAN
    assert {offer.layer for offer in examination.layers} <= {*LAYERS, "uid"}
    assert {"rlimits", "no new privileges"} <= {offer.layer for offer in examination.layers if offer.there}


def test_a_machine_with_every_required_layer_is_accepted() -> None:
    examination = Examination(PLAN, offers("network namespace"))
    assert isolation.demand(examination) == PLAN
    assert "error" not in shown(examination)
    assert "check network namespace: missing, optional: ENOSYS" in shown(examination)


@pytest.mark.parametrize("layer", PLAN.required)
def test_a_machine_without_a_required_layer_is_refused_with_the_remedy(layer: str) -> None:
    examination = Examination(PLAN, offers(layer))
    with pytest.raises(SetupError, match=f"cannot be confined on this machine: {layer} missing") as caught:
        isolation.demand(examination)
    assert "mnist-kit grade --docker SUBMISSIONS" in str(caught.value)
    assert "--unsafe-no-sandbox" in str(caught.value)
    assert f"error {layer}: missing, required: ENOSYS" in shown(examination)
    assert ("Get it: a kernel from 5.13 on" in shown(examination)) == (layer == "landlock")


def test_an_unknown_kind_of_machine_is_refused() -> None:
    with pytest.raises(SetupError, match="Linux on x86_64 or aarch64 missing"):
        isolation.demand(Examination(NO_PLAN, ()))
    assert "can only be confined on Linux, x86_64 or aarch64" in shown(Examination(NO_PLAN, ()))


def test_every_student_process_gets_a_user_id_of_its_own() -> None:
    first = isolation.free_uid(set())
    assert first >= isolation.FIRST_UID
    assert isolation.free_uid({first}) > first


def test_a_closed_folder_hides_everything_below_it_from_other_users(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    inner = tmp_path / "closed"
    inner.mkdir(mode=0o700)
    (inner / "python").mkdir(mode=0o755)
    assert not isolation.others_can_enter(inner / "python")
    assert isolation.others_can_enter(Path("/usr/lib"))
