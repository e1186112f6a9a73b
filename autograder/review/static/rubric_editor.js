// A rubric being edited. The server shows it as typed until it is applied; a page that was left or reloaded before that
// offers what was typed.

import { all, one } from "./dom.js";
import { forget, keep, kept } from "./drafts.js";
import { field, inputs } from "./dom.js";
import { say } from "./status.js";

/** @typedef {{ id: string, points: string, text: string }} Row */

const COLUMNS = /** @type {const} */ (["id", "points", "text"]);

export class RubricEditor {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.form = form;
    this.key = form.dataset.draft ?? "";
    this.label = form.dataset.label ?? "";
    this.before = /** @type {any} */ (kept(this.key));
    this.offer = one("#typed-before");
    form.addEventListener("input", () => this.keep(false));
    form.addEventListener("submit", () => this.keep(true));
    one("#drop-typed").addEventListener("click", () => this.drop());
    const { state } = form.dataset;
    const settled = !this.before || this.before.sent;
    if (state === "applied" && settled) forget(this.key);
    else if (state === "typed" && settled) this.keep(true);
    else if (this.before) this.showOffer();
  }

  /** @returns {Row[]} */
  get rows() {
    const [ids, points, texts] = COLUMNS.map((name) => inputs(`[name=${name}]`, this.form).map(({ value }) => value));
    return ids.map((id, index) => ({ id, points: points[index], text: texts[index] }));
  }

  /** @param {boolean} sent the next page shows it */
  keep(sent) {
    if (!this.offer.hidden) return; // the earlier draft comes first
    keep(this.key, this.label, { rows: this.rows, revision: field(this.form, "revision").value, sent });
  }

  /** Offer what was typed before, and close the form until that is decided. */
  showOffer() {
    if (JSON.stringify(this.before.rows) === JSON.stringify(this.rows)) {
      if (this.form.dataset.state === "current") forget(this.key);
      return;
    }
    const again = one("form", this.offer);
    /** @type {(name: string, value: string) => void} */
    const add = (name, value) => again.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    add("revision", this.before.revision);
    for (const row of this.before.rows) for (const name of COLUMNS) add(name, row[name]);
    again.addEventListener("submit", () => keep(this.key, this.label, { ...this.before, sent: true }));
    this.offer.hidden = false;
    this.form.inert = true;
  }

  drop() {
    this.offer.hidden = true;
    this.form.inert = false;
    if (this.form.dataset.state === "typed") this.keep(true);
    else forget(this.key);
    say("Discarded.");
    all("[name=points]", this.form)[0]?.focus();
  }
}
