// The state of one answer that is being marked: the saved mark, what was tried, and what others did. No access to
// the page.

import { same } from "./numbers.js";

/**
 * @typedef {import("./numbers.js").Draft} Draft
 * @typedef {import("./server.js").Mark} Mark
 */

/**
 * The next step of a save: resolve a conflict, choose something first, leave the page unchanged, or send the draft.
 * @typedef {"resolve" | "choose" | "leave" | "send"} SaveStep
 */

/**
 * The effect of a mark from the server:
 *   known        it is the conflicting mark that is already shown
 *   saved        the draft is saved, though the reply to that was lost
 *   replaced     nothing was typed here; the page shows it, or that the mark was undone
 *   rebased      an earlier draft was saved, with the reply lost; what was typed since is not saved yet
 *   undone       the mark below the draft was undone
 *   conflicting  it is another mark than the one seen, and differs from the draft
 * @typedef {"known" | "saved" | "replaced" | "rebased" | "undone" | "conflicting"} Effect
 */

export class MarkingState {
  /**
   * @param {object} start
   * @param {Mark | null} start.mark
   * @param {string} start.reviewer
   * @param {string} start.nonce
   * @param {() => string} newNonce
   */
  constructor({ mark, reviewer, nonce }, newNonce) {
    this.mark = mark;
    this.reviewer = reviewer;
    this.newNonce = newNonce;
    this.seen = mark?.id ?? 0;
    this.nonce = nonce;
    this.touched = false;
    /** @type {Draft | null} sent, with no reply so far */
    this.tried = null;
    /** @type {Mark | null} a mark of somebody else that conflicts with the draft */
    this.theirs = null;
  }

  /** The id of the newest mark that this page knows; 0: none. */
  get known() {
    return (this.theirs ?? this.mark)?.id ?? 0;
  }

  /** @param {Draft} draft */
  isDirty(draft) {
    return this.touched && !(this.mark && same(draft, this.mark));
  }

  /**
   * @param {Mark | null} mark
   * @param {Draft | null} draft
   */
  #isMine(mark, draft) {
    return mark !== null && draft !== null && mark.reviewer === this.reviewer && same(draft, mark);
  }

  /**
   * Tell whether a kept draft was saved, with only the reply to that lost.
   * @param {Draft} kept
   */
  wasSaved(kept) {
    return this.#isMine(this.mark, kept);
  }

  /**
   * Go on with a kept draft.
   * @param {{seen: number, nonce?: string, tried?: Draft | null}} kept
   */
  restore({ seen, nonce, tried }) {
    this.touched = true;
    this.seen = seen;
    this.nonce = nonce || this.nonce;
    this.tried = tried ?? null;
  }

  /**
   * Note a change. If another draft was tried before, this is a new one to the server.
   * @param {Draft} draft
   */
  changed(draft) {
    this.touched = true;
    if (this.tried && !same(this.tried, draft)) this.nonce = this.newNonce();
  }

  /** Go back to the saved mark. */
  discard() {
    this.touched = false;
    this.tried = null;
    this.nonce = this.newNonce();
    this.#accept(this.mark);
  }

  /** Let the next save replace the conflicting mark. */
  replaceTheirs() {
    this.#accept(this.theirs);
    this.touched = true;
    this.nonce = this.newNonce();
  }

  /**
   * @param {Draft} draft
   * @returns {SaveStep}
   */
  nextStep(draft) {
    if (this.theirs) return "resolve";
    if (!this.touched && !this.mark) return "choose";
    return this.isDirty(draft) ? "send" : "leave";
  }

  /**
   * Tell whether a mark is a draft that was tried earlier and saved, with only the reply to that lost.
   * @param {Mark | null} mark
   */
  isTried(mark) {
    return this.#isMine(mark, this.tried);
  }

  /**
   * Take in the current mark of the answer; null: it was undone.
   * @param {Mark | null} mark
   * @param {Draft} draft
   * @returns {Effect}
   */
  receive(mark, draft) {
    const dirty = this.isDirty(draft);
    if (!dirty || this.#isMine(mark, draft)) {
      this.touched = false;
      this.#accept(mark);
      return dirty ? "saved" : "replaced";
    }
    if (this.isTried(mark)) {
      this.#accept(mark);
      this.tried = null;
      this.nonce = this.newNonce();
      return "rebased";
    }
    if (!mark) {
      this.#accept(null);
      return "undone";
    }
    if (this.theirs?.id === mark.id) return "known";
    this.theirs = mark;
    return "conflicting";
  }

  /** @param {Mark} mark the draft that was sent, now saved */
  saved(mark) {
    this.#accept(mark);
  }

  /** @param {Mark | null} mark */
  #accept(mark) {
    this.mark = mark;
    this.seen = mark?.id ?? 0;
    this.theirs = null;
  }
}
