// The banner that compares a conflicting mark with the draft, and lets the reviewer choose.

import { one } from "./dom.js";

/**
 * @param {HTMLElement} banner
 * @param {string} selector
 * @param {string} text
 */
const put = (banner, selector, text) => { one(selector, banner).textContent = text; };

/** @param {string} comment */
export const quoted = (comment) => (comment.trim() ? `“${comment.trim()}”` : "");

export class ConflictBanner {
  /**
   * @param {() => void} keepTheirs
   * @param {() => void} replaceTheirs
   */
  constructor(keepTheirs, replaceTheirs) {
    this.banner = one("#conflict");
    one("#keep-theirs").addEventListener("click", keepTheirs);
    one("#save-mine").addEventListener("click", replaceTheirs);
  }

  /** @param {import("./server.js").Mark} theirs */
  show(theirs) {
    put(this.banner, "[data-theirs]", theirs.line);
    put(this.banner, "[data-theirs-comment]", quoted(theirs.comment));
    this.banner.hidden = false;
  }

  /**
   * Show the draft; its items are in the form on the same page.
   * @param {string} points
   * @param {string} comment
   */
  compare(points, comment) {
    put(this.banner, "[data-mine]", `${points}, see the form below. ${quoted(comment)}`.trim());
  }

  hide() {
    this.banner.hidden = true;
  }

  focus() {
    this.banner.focus();
  }
}
