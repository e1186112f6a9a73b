// The rubric as a form: ticked items, an adjustment, a comment, a flag, and the points they add up to.

import { all, closest, field, inputs, one } from "./dom.js";
import { number, points, signed } from "./numbers.js";
import { UNREACHABLE, send } from "./server.js";
import { goAndSay, say } from "./status.js";

/** @typedef {import("./numbers.js").Draft} Draft */

export const NOTHING_CHOSEN = "Nothing chosen yet. 0 gives no points; Enter then saves.";

/** What marking one answer and marking a group have in common. */
export class RubricForm {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.key = form.dataset.draft ?? "";
    this.label = form.dataset.label ?? "";
    this.unsaved = one("#unsaved");
    this.boxes = inputs("input[name=item]", form);
    this.items = this.boxes.map((box) => ({ id: box.value, points: Number(box.dataset.points) }));
    this.total = Number(form.dataset.total);
    this.touched = false;
    this.busy = false;
    form.addEventListener("input", (event) => {
      if (closest(event, ".items, [name=adjustment], [name=comment], [name=flagged]")) this.changed();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const action = event.submitter?.getAttribute("formaction");
      if (action && event.submitter) this.press(action, event.submitter);
      else this.save();
    });
    for (const button of all("[data-take]")) {
      button.hidden = false;
      button.addEventListener("click", () => { this.fill(JSON.parse(button.dataset.take ?? "")); this.changed(); });
    }
    one("#discard").addEventListener("click", () => this.discard());
    this.show();
  }

  /** @returns {Draft} */
  get draft() {
    return {
      items: this.boxes.filter((box) => box.checked).map((box) => box.value),
      adjustment: Number(field(this.form, "adjustment").value) || 0,
      comment: field(this.form, "comment").value,
      flagged: field(this.form, "flagged").checked,
    };
  }

  get points() {
    return number(points(this.draft, this.items, this.total));
  }

  /** @param {Draft} draft */
  fill(draft) {
    for (const box of this.boxes) box.checked = draft.items.includes(box.value);
    field(this.form, "adjustment").value = number(draft.adjustment);
    field(this.form, "comment").value = draft.comment;
    field(this.form, "flagged").checked = Boolean(draft.flagged);
    this.show();
  }

  /**
   * Leave out the items that the rubric has no longer.
   * @param {string[]} items
   */
  stillThere(items) {
    return items.filter((id) => this.items.some((item) => item.id === id));
  }

  show() {
    one("[data-earned]", this.form).textContent = this.points;
  }

  changed() {
    this.touched = true;
    this.show();
  }

  /** @param {number} place from 1 */
  toggle(place) {
    const box = this.boxes[place - 1];
    if (!box) return;
    box.checked = !box.checked;
    this.changed();
    const text = one(".what", /** @type {HTMLElement} */ (box.closest("label"))).textContent;
    say(`${box.checked ? "Given" : "Taken back"}: ${text} Now ${this.points} of ${number(this.total)}.`);
  }

  clear() {
    for (const box of this.boxes) box.checked = false;
    field(this.form, "adjustment").value = "0";
    this.changed();
    say(`Cleared: 0 of ${number(this.total)}.`);
  }

  /** @param {number} step */
  adjust(step) {
    const adjustment = field(this.form, "adjustment");
    adjustment.value = number((Number(adjustment.value) || 0) + step);
    this.changed();
    say(`Adjusted ${signed(Number(adjustment.value))}. Now ${this.points} of ${number(this.total)}.`);
  }

  flag() {
    const box = field(this.form, "flagged");
    box.checked = !box.checked;
    this.changed();
    say(box.checked ? "Flagged." : "Not flagged.");
  }

  focusSave() {
    one("button.main", this.form).focus();
  }

  /** Save the mark. */
  async save() {}

  /** Forget everything that is not saved. */
  discard() {}

  /**
   * Do what another button of the form does. Return whether the server did it.
   * @param {string} action
   * @param {HTMLElement} [_button]
   */
  async press(action, _button) {
    try {
      const { ok, said } = await send(action, new FormData(this.form));
      if (ok && said.url) goAndSay(said.url, said.words);
      else say(said.why || said.words || "The server refused that.", !ok);
      return ok;
    } catch {
      say(UNREACHABLE, true);
      return false;
    }
  }
}
