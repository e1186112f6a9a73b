// The form that marks one answer, or settles one that was marked twice. Its draft is kept at each change, and a mark that
// arrives meanwhile is never overwritten unseen.

import { ConflictBanner } from "./conflict.js";
import { field, find, one } from "./dom.js";
import { RESTORED, forget, keep, kept } from "./drafts.js";
import { showHistory } from "./history.js";
import { MarkingState } from "./marking_state.js";
import { EMPTY, nonce } from "./numbers.js";
import { watch } from "./presence.js";
import { RubricForm } from "./rubric_form.js";
import { save } from "./saving.js";
import { addSnippet, appended, closeSnippets, dropSnippet } from "./snippets.js";
import { say } from "./status.js";

/** @typedef {import("./numbers.js").Draft} Draft */
/** @typedef {import("./server.js").Mark} Mark */

export class Marking extends RubricForm {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    super(form);
    const { mark = "null", empty, now } = form.dataset;
    const reviewer = document.body.dataset.reviewer ?? "";
    this.state = new MarkingState({ mark: JSON.parse(mark), reviewer, nonce: field(form, "nonce").value }, nonce);
    /** @type {Draft} */
    this.empty = empty ? JSON.parse(empty) : EMPTY;
    this.conflict = new ConflictBanner(() => this.keepTheirs(), () => this.replaceTheirs());
    find("#history")?.addEventListener("toggle", () => showHistory());
    this.fill(this.state.mark ?? this.empty); // browsers restore old values of forms
    this.restore();
    if (now) watch(this, now);
  }

  /** The id of the newest mark that this page knows; 0: none. */
  get known() {
    return this.state.known;
  }

  restore() {
    const before = /** @type {any} */ (kept(this.key));
    if (!before) return;
    if (this.state.wasSaved(before)) {
      forget(this.key);
      return;
    }
    this.fill({ ...EMPTY, ...before, items: this.stillThere(before.items) });
    this.state.restore(before);
    this.keep();
    if (before.seen === (this.state.mark?.id ?? 0)) say(RESTORED);
    else this.receive(this.state.mark);
  }

  keep() {
    const { draft, state } = this;
    const dirty = state.isDirty(draft);
    this.unsaved.hidden = !dirty;
    if (dirty) keep(this.key, this.label, { ...draft, seen: state.seen, tried: state.tried, nonce: state.nonce });
    else forget(this.key);
  }

  /** @override */
  show() {
    super.show();
    if (this.state.theirs) this.conflict.compare(this.pointsOfTotal, this.draft.comment);
  }

  /** @override */
  changed() {
    this.show();
    this.state.changed(this.draft);
    this.keep();
  }

  /** @override */
  discard() {
    this.state.discard();
    this.conflict.hide();
    this.fill(this.state.mark ?? this.empty);
    this.keep();
    say("Discarded.");
    this.focusSave();
  }

  /** @override */
  async save() {
    await save(this);
  }

  /**
   * Take in the current mark of the answer; null: it was undone.
   * @param {Mark | null} mark
   */
  receive(mark) {
    const effect = this.state.receive(mark, this.draft);
    if (effect === "known") return;
    if (effect === "conflicting") {
      this.showConflict();
      return;
    }
    if (effect === "saved" || effect === "replaced") this.fill(mark ?? this.empty);
    this.conflict.hide();
    this.keep();
    this.showMark(mark);
    if (effect === "undone") say("The earlier mark of this answer was undone. Yours is not saved yet.");
    if (effect === "replaced") {
      say(mark ? `${mark.reviewer} has marked this answer: ${mark.words}.` : "The mark was undone.");
    }
  }

  showConflict() {
    const theirs = /** @type {Mark} */ (this.state.theirs);
    this.conflict.show(theirs);
    this.show();
    say(`${theirs.reviewer} has just marked this answer. Your changes are kept.`);
  }

  /** @param {Mark | null} mark */
  showMark(mark) {
    const standing = find("#standing");
    if (standing) standing.textContent = mark ? `Marked: ${mark.line}` : "Not marked yet";
    showHistory();
  }

  keepTheirs() {
    const theirs = /** @type {Mark} */ (this.state.theirs);
    this.state.mark = theirs;
    this.discard();
    this.showMark(theirs);
    say(`Kept the mark of ${theirs.reviewer}: ${theirs.words}.`);
  }

  async replaceTheirs() {
    this.state.replaceTheirs();
    this.conflict.hide();
    await this.save();
  }

  /**
   * @override
   * @param {any} body
   * @param {HTMLElement} [button]
   */
  done(body, button) {
    if (body.name) this.showName(body.name);
    else if (body.snippet) addSnippet(body.snippet);
    else if (button && "drop" in button.dataset) dropSnippet(button, body.words);
    else super.done(body);
  }

  /** @param {string} name */
  showName(name) {
    one("#name").textContent = `by ${name}`;
    say(`This answer is by ${name}. The log shows that you revealed the name.`);
  }

  /** @param {string} text */
  insert(text) {
    const comment = field(this.form, "comment");
    comment.value = appended(comment.value, text);
    closeSnippets();
    this.changed();
    say(`Added to the comment: ${text}`);
  }
}
