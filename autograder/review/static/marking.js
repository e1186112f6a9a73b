// One answer: its draft is kept at each change, and a mark that comes in meanwhile is never overwritten.

import { field, find, one } from "./dom.js";
import { RESTORED, forget, keep, kept } from "./drafts.js";
import { showHistory } from "./history.js";
import { EMPTY, nonce, same } from "./numbers.js";
import { watch } from "./presence.js";
import { NOTHING_CHOSEN, RubricForm } from "./rubric_form.js";
import { UNREACHABLE, send } from "./server.js";
import { addSnippet, appended, closeSnippets, dropSnippet } from "./snippets.js";
import { goAndSay, say } from "./status.js";

/** @typedef {import("./numbers.js").Draft} Draft */
/** @typedef {import("./server.js").Mark} Mark */

const REVIEWER = document.body.dataset.reviewer;

export class Marking extends RubricForm {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    super(form);
    /** @type {Mark | null} the mark in the gradebook */
    this.mark = JSON.parse(form.dataset.mark ?? "null");
    /** @type {Draft} */
    this.empty = form.dataset.empty ? JSON.parse(form.dataset.empty) : EMPTY;
    this.seen = this.mark?.id ?? 0;
    this.nonce = field(form, "nonce").value;
    /** @type {Draft | null} what was sent last, perhaps with its reply lost */
    this.tried = null;
    /** @type {Mark | null} a mark that came in while this one was written */
    this.theirs = null;
    this.conflict = one("#conflict");
    one("#keep-theirs").addEventListener("click", () => this.keepTheirs());
    one("#save-mine").addEventListener("click", () => this.saveMine());
    find("#history")?.addEventListener("toggle", () => showHistory());
    this.fill(this.mark ?? this.empty); // browsers restore old values of forms
    this.restore();
    if (form.dataset.now) watch(this, form.dataset.now);
  }

  get dirty() {
    return this.touched && !(this.mark && same(this.draft, this.mark));
  }

  /** The number of the newest mark that this page knows; 0 for none. */
  get known() {
    return (this.theirs ?? this.mark)?.id ?? 0;
  }

  restore() {
    const before = /** @type {any} */ (kept(this.key));
    if (!before) return;
    if (this.mark && this.mark.reviewer === REVIEWER && same(before, this.mark)) {
      forget(this.key); // it was saved, and only the reply was lost
      return;
    }
    this.fill({ ...EMPTY, ...before, items: this.stillThere(before.items) });
    this.touched = true;
    this.nonce = before.nonce || this.nonce;
    this.tried = before.tried || null;
    this.seen = before.seen;
    this.keep();
    if (before.seen === (this.mark?.id ?? 0)) say(RESTORED);
    else this.meanwhile(this.mark);
  }

  keep() {
    this.unsaved.hidden = !this.dirty;
    const { seen, tried, nonce: name } = this;
    if (this.dirty) keep(this.key, this.label, { ...this.draft, seen, tried, nonce: name });
    else forget(this.key);
  }

  changed() {
    super.changed();
    if (this.tried && !same(this.tried, this.draft)) this.nonce = nonce(); // another action than the one that was sent
    this.keep();
  }

  discard() {
    this.touched = false;
    this.tried = null;
    forget(this.key);
    this.unsaved.hidden = true;
    this.settle(this.mark);
    this.nonce = nonce();
    this.fill(this.mark ?? this.empty);
    say("Discarded.");
    this.focusSave();
  }

  async save() {
    if (this.busy) return;
    if (this.theirs) {
      say("First choose: keep theirs, or save yours over it.", true);
      this.conflict.focus();
    } else if (!this.touched && !this.mark) {
      say(NOTHING_CHOSEN);
    } else if (!this.dirty) {
      forget(this.key);
      location.assign(this.form.dataset.onward ?? "/");
    } else {
      this.busy = true;
      say("Saving …");
      try {
        await this.sendMark();
      } catch {
        say(UNREACHABLE, true);
      }
      this.busy = false;
    }
  }

  /** @returns {Promise<void>} */
  async sendMark() {
    const draft = this.draft;
    const before = this.tried;
    this.tried = draft;
    this.keep();
    const fields = new FormData(this.form);
    fields.set("seen", String(this.seen));
    fields.set("nonce", this.nonce);
    const { ok, status, said } = await send(this.form.getAttribute("action") ?? "", fields);
    if (ok) {
      this.mark = said.mark;
      this.seen = said.mark.id;
      if (same(draft, this.draft)) forget(this.key);
      goAndSay(said.url, said.words);
    } else if (status === 409 && said.mark) {
      this.tried = before;
      const earlier = this.isEarlier(said.mark);
      this.meanwhile(said.mark);
      if (earlier) return this.sendMark();
      this.conflict.focus();
    } else {
      say(said.why || "It could not be saved. What you typed is kept; try again.", true);
    }
  }

  /**
   * Whether an earlier save of this form succeeded and only its reply was lost.
   * @param {Mark | null} mark
   */
  isEarlier(mark) {
    return mark !== null && mark.reviewer === REVIEWER && this.tried !== null && same(this.tried, mark);
  }

  /**
   * Take in a mark that was saved, or taken back (null), while this page was open.
   * @param {Mark | null} mark
   */
  meanwhile(mark) {
    const mine = mark !== null && mark.reviewer === REVIEWER && same(mark, this.draft);
    if (!this.dirty || mine) {
      const saved = this.dirty;
      this.settle(mark);
      this.touched = false;
      this.fill(mark ?? this.empty);
      this.keep();
      if (!saved) say(mark ? `${mark.reviewer} has marked this answer: ${mark.words}.` : "The mark was taken back.");
    } else if (this.isEarlier(mark)) {
      this.settle(mark);
      this.tried = null;
      this.nonce = nonce();
      this.keep();
    } else if (!mark) {
      this.settle(null);
      this.keep();
      say("The mark of this answer was taken back. Yours is not saved yet.");
    } else if (this.theirs?.id !== mark.id) {
      this.theirs = mark;
      one("[data-theirs]", this.conflict).textContent = mark.line;
      one("[data-theirs-comment]", this.conflict).textContent = mark.comment ? `“${mark.comment}”` : "";
      this.conflict.hidden = false;
      say(`${mark.reviewer} has marked this answer in the meantime. Nothing of yours is lost.`);
    }
  }

  /**
   * Show a mark as the one in the gradebook; there is no conflict any more.
   * @param {Mark | null} mark
   */
  settle(mark) {
    this.mark = mark;
    this.seen = mark?.id ?? 0;
    this.theirs = null;
    this.conflict.hidden = true;
    const standing = find("#standing");
    if (!standing) return;
    standing.textContent = mark ? `Marked: ${mark.line}` : "Not marked yet";
    showHistory();
  }

  keepTheirs() {
    const theirs = /** @type {Mark} */ (this.theirs);
    this.mark = theirs;
    this.discard();
    say(`Kept ${theirs.reviewer}'s mark: ${theirs.words}.`);
  }

  async saveMine() {
    this.settle(this.theirs);
    this.nonce = nonce();
    this.touched = true;
    await this.save();
  }

  /**
   * @param {string} action
   * @param {HTMLElement} [button]
   */
  async press(action, button) {
    try {
      const { ok, said } = await send(action, new FormData(this.form));
      if (!ok) say(said.why || "The server refused that.", true);
      else if (said.name) this.showName(said.name);
      else if (said.snippet) addSnippet(said.snippet);
      else if (button && "drop" in button.dataset) dropSnippet(button, said.words);
      else if (said.url) goAndSay(said.url, said.words);
      else say(said.words);
      return ok;
    } catch {
      say(UNREACHABLE, true);
      return false;
    }
  }

  /** @param {string} name */
  showName(name) {
    one("#name").textContent = `by ${name}`;
    say(`This answer is by ${name}. The log records that you looked.`);
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
