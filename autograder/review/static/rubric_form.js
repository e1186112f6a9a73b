// The rubric as a form: selected items, an adjustment, a comment, a flag, and the points they add up to.

import { all, closest, field, inputs, one } from "./dom.js";
import { number, points, signed } from "./numbers.js";
import { UNREACHABLE, send } from "./server.js";
import { goAndSay, say } from "./status.js";

/** @typedef {import("./numbers.js").Draft} Draft */

export const NOTHING_CHOSEN = "Nothing chosen yet. To give no points, press 0, then Enter.";

/** The form that marks one answer or a group of answers. */
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

  get pointsOfTotal() {
    return `${this.points} of ${number(this.total)}`;
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
   * Return the items that the rubric still has.
   * @param {string[]} items
   */
  stillThere(items) {
    return items.filter((id) => this.items.some((item) => item.id === id));
  }

  show() {
    one("[data-earned]", this.form).textContent = this.points;
  }

  /** Note a change. */
  changed() {
    this.show();
  }

  /** @param {number} place from 1 */
  toggle(place) {
    const box = this.boxes[place - 1];
    if (!box) return;
    box.checked = !box.checked;
    this.changed();
    const text = one(".what", /** @type {HTMLElement} */ (box.closest("label"))).textContent;
    say(`${box.checked ? "Given" : "Removed"}: ${text} Now ${this.pointsOfTotal}.`);
  }

  clear() {
    for (const box of this.boxes) box.checked = false;
    field(this.form, "adjustment").value = "0";
    this.changed();
    say(`Cleared. Now ${this.pointsOfTotal}.`);
  }

  /** @param {number} step */
  adjust(step) {
    const adjustment = field(this.form, "adjustment");
    adjustment.value = number((Number(adjustment.value) || 0) + step);
    this.changed();
    say(`Adjusted by ${signed(Number(adjustment.value))}. Now ${this.pointsOfTotal}.`);
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
   * @param {HTMLElement} [button]
   */
  async press(action, button) {
    const reply = await send(action, new FormData(this.form)).catch(() => null);
    if (!reply) say(UNREACHABLE, true);
    else if (reply.ok) this.done(reply.body, button);
    else say(reply.body.why || "The server rejected this.", true);
    return reply?.ok ?? false;
  }

  /**
   * Show what the server did.
   * @param {any} body
   * @param {HTMLElement} [_button]
   */
  done(body, _button) {
    if (body.url) goAndSay(body.url, body.words);
    else say(body.words);
  }
}
