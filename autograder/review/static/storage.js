// Drafts in the browser's storage: whatever is typed and not saved yet outlives a reload and a broken connection.

/** @typedef {{ url: string, label: string, at: number, [more: string]: any }} Stored */

/**
 * Use a storage; null if it is full or forbidden.
 * @template T
 * @param {() => T} use
 * @returns {T | null}
 */
export function attempt(use) {
  try { return use(); } catch { return null; }
}

/** The drafts of one reviewer in one gradebook. */
export class Drafts {
  /**
   * @param {Storage} storage
   * @param {string} prefix begins the keys of these drafts
   */
  constructor(storage, prefix) {
    this.storage = storage;
    this.prefix = prefix;
  }

  /**
   * Return a draft; null if there is none.
   * @param {string} key
   * @returns {Stored | null}
   */
  get(key) {
    return attempt(() => JSON.parse(this.storage.getItem(this.prefix + key) ?? "null"));
  }

  /**
   * Store a draft of the page at `url`; the overview lists it by its label. Return whether the browser could.
   * @param {string} key
   * @param {string} label
   * @param {string} url
   * @param {object} content
   */
  set(key, label, url, content) {
    const draft = { ...content, url, label, at: Date.now() };
    return attempt(() => { this.storage.setItem(this.prefix + key, JSON.stringify(draft)); return true; }) === true;
  }

  /** @param {string} key */
  remove(key) {
    attempt(() => this.storage.removeItem(this.prefix + key));
  }

  /**
   * Return all drafts, the oldest first.
   * @returns {Stored[]}
   */
  list() {
    const found = [];
    for (let index = 0; index < this.storage.length; index += 1) {
      const key = this.storage.key(index);
      if (!key?.startsWith(this.prefix)) continue;
      const draft = this.get(key.slice(this.prefix.length));
      if (draft && draft.url && draft.label) found.push(draft);
    }
    return found.sort((a, b) => a.at - b.at);
  }
}
