// Similar answers under one mark: the draft and the selection are kept at each change.

import { field, inputs, one } from "./dom.js";
import { RESTORED, forget, keep, kept } from "./drafts.js";
import { EMPTY, nonce } from "./numbers.js";
import { NOTHING_CHOSEN, RubricForm } from "./rubric_form.js";
import { say } from "./status.js";

export class Group extends RubricForm {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    super(form);
    this.answers = inputs("input[name=answer]:not(:disabled)", form);
    this.touched = false;
    this.tried = false;
    history.replaceState(null, "", form.dataset.place ?? ""); // a reload stays with this group
    this.fill(EMPTY); // browsers restore old values of forms
    this.tick(() => true);
    form.addEventListener("change", (event) => {
      if (event.target instanceof HTMLInputElement && event.target.name === "answer") this.ticksChanged();
    });
    this.restore();
  }

  /** @param {(answer: string) => boolean} chosen */
  tick(chosen) {
    for (const box of this.answers) box.checked = chosen(box.value);
    this.count();
  }

  /** @returns {string[]} */
  get ticked() {
    return this.answers.filter((box) => box.checked).map((box) => box.value);
  }

  count() {
    one("[data-ticked]", this.form).textContent = String(this.ticked.length);
  }

  ticksChanged() {
    this.count();
    this.keepChange();
  }

  get dirty() {
    return this.touched || this.answers.some((box) => !box.checked);
  }

  restore() {
    const before = kept(this.key);
    if (!before) return;
    this.fill(/** @type {import("./numbers.js").Draft} */ ({ ...EMPTY, ...before, items: this.stillThere(before.items) }));
    this.tick((answer) => before.ticked.includes(answer));
    this.touched = before.touched;
    this.keep();
    say(RESTORED);
  }

  /** Store the change. After a save whose reply was lost, the changed draft needs its own nonce to be saved as well. */
  keepChange() {
    if (this.tried) field(this.form, "nonce").value = nonce();
    this.tried = false;
    this.keep();
  }

  keep() {
    this.unsaved.hidden = !this.dirty;
    if (this.dirty) keep(this.key, this.label, { ...this.draft, ticked: this.ticked, touched: this.touched });
    else forget(this.key);
  }

  /** @override */
  changed() {
    this.touched = true;
    this.show();
    this.keepChange();
  }

  /** @override */
  discard() {
    this.touched = false;
    this.fill(EMPTY);
    this.tick(() => true);
    this.keepChange();
    say("Discarded.");
    this.focusSave();
  }

  /** @override */
  async save() {
    if (this.busy) return;
    if (!this.touched) {
      say(NOTHING_CHOSEN);
      return;
    }
    this.busy = true;
    this.tried = true;
    if (await this.press(this.form.getAttribute("action") ?? "")) forget(this.key);
    this.busy = false;
  }
}
