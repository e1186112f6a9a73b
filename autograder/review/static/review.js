// The review's own script: keys, running points, drafts that outlive a reload, and what others do meanwhile.
// Every page works without it, but for the keys and the drafts.
"use strict";

(() => {
  const page = document.body.dataset;
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const POLL_MS = 1500;
  const PATIENCE_MS = 45000; // longer than the gradebook waits for a lock

  // What is said

  const status = one("#status");
  let clearing = 0;

  function say(words, bad = false) {
    clearTimeout(clearing);
    status.textContent = words;
    status.classList.toggle("bad", bad);
    if (!bad) clearing = setTimeout(() => { status.textContent = ""; }, 5000);
  }

  function sayThere(url, words) {
    if (words) stored(() => sessionStorage.setItem("review said", words));
    location.assign(url);
  }

  function stored(act) {
    try { return act(); } catch { return null; } // a full or forbidden storage
  }

  const number = (value) => String(Number(Number(value).toPrecision(6)));
  const signed = (value) => (value < 0 ? "−" : "+") + number(Math.abs(value));

  async function send(url, fields) {
    const reply = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-CSRF-Token": page.csrf, Accept: "application/json" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    let said = {};
    try { said = await reply.json(); } catch { /* not ours: the status says enough */ }
    return { ok: reply.ok, status: reply.status, said };
  }

  const GONE = "The review cannot be reached. What you typed is kept in this browser; save again once it runs.";

  function nonce() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Drafts

  const PREFIX = `review ${page.gradebook} ${page.reviewer} `;

  function drafts() {
    const found = [];
    for (let at = 0; at < localStorage.length; at += 1) {
      const key = localStorage.key(at);
      if (!key.startsWith(PREFIX)) continue;
      const draft = stored(() => JSON.parse(localStorage.getItem(key)));
      if (draft && draft.url && draft.label) found.push(draft);
    }
    return found.sort((a, b) => a.at - b.at);
  }

  const EMPTY = { items: [], adjustment: 0, comment: "", flagged: false };

  function same(a, b) {
    const plain = (each) => JSON.stringify([
      [...each.items].sort(), Number(each.adjustment) || 0, each.comment.trim(), Boolean(each.flagged),
    ]);
    return plain(a) === plain(b);
  }

  // The rubric as a form: ticks, an adjustment, a comment, a flag, and the points they come to

  class RubricForm {
    constructor(form) {
      this.form = form;
      this.boxes = all("input[name=item]", form);
      this.total = Number(form.dataset.total);
      this.touched = false;
      this.busy = false;
      this.main = one("button.main", form);
      form.addEventListener("input", (event) => {
        if (event.target.closest(".items, [name=adjustment], [name=comment], [name=flagged]")) this.changed();
      });
      form.addEventListener("submit", (event) => this.submitted(event));
      for (const button of all("[data-take]")) {
        button.hidden = false;
        button.addEventListener("click", () => { this.fill(JSON.parse(button.dataset.take)); this.changed(); });
      }
      this.show();
    }

    get draft() {
      const { adjustment, comment, flagged } = this.form.elements;
      return {
        items: this.boxes.filter((box) => box.checked).map((box) => box.value),
        adjustment: Number(adjustment.value) || 0,
        comment: comment.value,
        flagged: flagged.checked,
      };
    }

    fill(draft) {
      const { adjustment, comment, flagged } = this.form.elements;
      for (const box of this.boxes) box.checked = draft.items.includes(box.value);
      adjustment.value = number(draft.adjustment);
      comment.value = draft.comment;
      flagged.checked = Boolean(draft.flagged);
      this.show();
    }

    points(draft) {
      const given = this.boxes.filter((box) => draft.items.includes(box.value));
      const sum = given.reduce((points, box) => points + Number(box.dataset.points), Number(draft.adjustment) || 0);
      return Math.min(Math.max(sum, 0), this.total);
    }

    words(draft) {
      const given = draft.items.length ? ` (${draft.items.join(", ")})` : "";
      const parts = [`${number(this.points(draft))} of ${number(this.total)}${given}`];
      if (Number(draft.adjustment)) parts.push(`adjusted ${signed(draft.adjustment)}`);
      if (draft.flagged) parts.push("flagged");
      return parts.join(", ") + (draft.comment.trim() ? ` “${draft.comment.trim()}”` : "");
    }

    show() {
      one("[data-earned]", this.form).textContent = number(this.points(this.draft));
    }

    changed() {
      this.touched = true;
      this.show();
    }

    toggle(place) {
      const box = this.boxes[place - 1];
      if (!box) return;
      box.checked = !box.checked;
      this.changed();
      const text = one(".what", box.closest("label")).textContent;
      say(`${box.checked ? "Given" : "Taken back"}: ${text} Now ${number(this.points(this.draft))} of ${number(this.total)}.`);
    }

    clear() {
      for (const box of this.boxes) box.checked = false;
      this.form.elements.adjustment.value = "0";
      this.changed();
      say(`Cleared: 0 of ${number(this.total)}.`);
    }

    adjust(step) {
      const field = this.form.elements.adjustment;
      field.value = number((Number(field.value) || 0) + step);
      this.changed();
      say(`Adjusted ${signed(Number(field.value))}. Now ${number(this.points(this.draft))} of ${number(this.total)}.`);
    }

    flag() {
      const box = this.form.elements.flagged;
      box.checked = !box.checked;
      this.changed();
      say(box.checked ? "Flagged." : "Not flagged.");
    }

    fields() {
      return new FormData(this.form);
    }

    async submitted(event) {
      event.preventDefault();
      const action = event.submitter?.getAttribute("formaction");
      if (!action) await this.save();
      else await this.other(action, event.submitter);
    }

    /** Do what another button of the form asks for. */
    async other(action) {
      try {
        const { ok, said } = await send(action, this.fields());
        if (ok && said.url) sayThere(said.url, said.words);
        else say(said.why || said.words || "That was refused.", !ok);
      } catch {
        say(GONE, true);
      }
    }

    async save() {
      if (this.busy) return;
      if (!this.touched) {
        say("Nothing chosen yet. 0 gives no points; Enter then saves.");
        return;
      }
      this.busy = true;
      await this.other(this.form.getAttribute("action"));
      this.busy = false;
    }
  }

  // One answer: its draft is kept at each change, and what others do to it is seen

  class Marking extends RubricForm {
    constructor(form) {
      super(form);
      this.id = form.dataset.answer;
      this.key = PREFIX + form.dataset.draft;
      this.mark = JSON.parse(form.dataset.mark);
      this.empty = form.dataset.empty ? JSON.parse(form.dataset.empty) : EMPTY;
      this.seen = this.mark ? this.mark.id : 0;
      this.nonce = nonce();
      this.tried = null;
      this.theirs = null;
      this.conflict = one("#conflict");
      this.unsaved = one("#unsaved");
      one("#keep-theirs").addEventListener("click", () => this.keepTheirs());
      one("#save-mine").addEventListener("click", () => this.saveMine());
      one("#discard").addEventListener("click", () => this.discard());
      this.fill(this.mark || this.empty); // a browser fills forms in anew as it likes
      this.restore();
      if (form.dataset.now) this.watch(form.dataset.now);
    }

    get dirty() {
      return this.touched && !(this.mark && same(this.draft, this.mark));
    }

    restore() {
      const kept = stored(() => JSON.parse(localStorage.getItem(this.key)));
      if (!kept) return;
      if (this.mark && this.mark.reviewer === page.reviewer && same(kept, this.mark)) {
        this.forget(); // it was saved, and only the answer to that was lost
        return;
      }
      const known = this.boxes.map((box) => box.value);
      this.fill({ ...EMPTY, ...kept, items: kept.items.filter((item) => known.includes(item)) });
      this.touched = true;
      this.nonce = kept.nonce || this.nonce;
      this.tried = kept.tried || null;
      this.seen = kept.seen;
      this.keep();
      const current = this.mark ? this.mark.id : 0;
      if (kept.seen !== current) this.meanwhile(this.mark);
      else say("What you had not saved is back.");
    }

    keep() {
      this.unsaved.hidden = !this.dirty;
      if (!this.dirty) {
        this.forget();
        return;
      }
      const { label } = this.form.dataset;
      const kept = { ...this.draft, seen: this.seen, nonce: this.nonce, tried: this.tried, url: location.pathname, label, at: Date.now() };
      const done = stored(() => { localStorage.setItem(this.key, JSON.stringify(kept)); return true; });
      if (!done) say("This browser cannot keep drafts: what you have not saved is lost with the page.", true);
    }

    forget() {
      stored(() => localStorage.removeItem(this.key));
    }

    changed() {
      super.changed();
      if (this.tried && !same(this.tried, this.draft)) this.nonce = nonce(); // another act than the one that was tried
      this.keep();
    }

    discard() {
      this.touched = false;
      this.tried = null;
      this.forget();
      this.unsaved.hidden = true;
      this.conflict.hidden = true;
      this.theirs = null;
      this.seen = this.mark ? this.mark.id : 0;
      this.nonce = nonce();
      this.fill(this.mark || this.empty);
      say("Discarded.");
      this.main.focus();
    }

    async save() {
      if (this.busy) return;
      if (this.theirs) {
        say("First choose: keep theirs, or save yours over it.", true);
        this.conflict.focus();
        return;
      }
      if (!this.touched && !this.mark) {
        say("Nothing chosen yet. 0 gives no points; Enter then saves.");
        return;
      }
      if (!this.dirty) {
        this.forget();
        location.assign(this.form.dataset.onward);
        return;
      }
      this.busy = true;
      say("Saving …");
      try {
        await this.attempt();
      } catch {
        say(GONE, true);
      }
      this.busy = false;
    }

    async attempt() {
      const draft = this.draft;
      const before = this.tried;
      this.tried = draft;
      this.keep();
      const fields = this.fields();
      fields.set("seen", String(this.seen));
      fields.set("nonce", this.nonce);
      const { ok, status: code, said } = await send(this.form.getAttribute("action"), fields);
      if (ok) {
        this.mark = said.mark;
        this.seen = said.mark.id;
        if (same(draft, this.draft)) this.forget();
        sayThere(said.url, said.words);
      } else if (code === 409 && said.mark) {
        this.tried = before;
        if (this.isEarlier(said.mark)) {
          this.meanwhile(said.mark);
          await this.attempt();
          return;
        }
        this.meanwhile(said.mark);
        this.conflict.focus();
      } else {
        say(said.why || "It could not be saved. What you typed is kept; try again.", true);
      }
    }

    /** An earlier save of this form went through, and only the answer to it was lost. */
    isEarlier(mark) {
      return Boolean(mark) && mark.reviewer === page.reviewer && this.tried !== null && same(this.tried, mark);
    }

    /** Somebody's mark came in (or was taken back) while this page was open. */
    meanwhile(mark) {
      if (!this.dirty || (mark && mark.reviewer === page.reviewer && same(mark, this.draft))) {
        const taken = this.dirty;
        this.mark = mark;
        this.seen = mark ? mark.id : 0;
        this.touched = false;
        this.fill(mark || this.empty);
        this.keep();
        this.stand(mark);
        this.conflict.hidden = true;
        this.theirs = null;
        if (!taken) say(mark ? `${mark.reviewer} has marked this answer: ${mark.words}.` : "The mark was taken back.");
        return;
      }
      if (this.isEarlier(mark)) {
        this.mark = mark;
        this.seen = mark.id;
        this.tried = null;
        this.nonce = nonce();
        this.stand(mark);
        this.keep();
        return;
      }
      if (!mark) {
        this.mark = null;
        this.seen = 0;
        this.theirs = null;
        this.conflict.hidden = true;
        this.stand(null);
        this.keep();
        say("The mark of this answer was taken back. Yours is not saved yet.");
        return;
      }
      if (this.theirs && this.theirs.id === mark.id) return;
      this.theirs = mark;
      one("[data-theirs]", this.conflict).textContent = `${mark.words}, by ${mark.reviewer}, ${mark.when}`;
      one("[data-theirs-comment]", this.conflict).textContent = mark.comment ? `“${mark.comment}”` : "";
      this.conflict.hidden = false;
      this.compare();
      say(`${mark.reviewer} has marked this answer while you were at it. Nothing of yours is lost.`);
    }

    compare() {
      if (this.theirs) one("[data-mine]", this.conflict).textContent = this.words(this.draft);
    }

    show() {
      super.show();
      if (this.theirs) this.compare();
    }

    stand(mark) {
      const standing = one("#standing");
      if (!standing) return;
      standing.textContent = mark ? `Marked: ${mark.words}, by ${mark.reviewer}, ${mark.when}` : "Not marked yet";
      const history = one("#history ol");
      if (!mark || !history) return;
      const line = document.createElement("li");
      line.textContent = `${mark.words}, by ${mark.reviewer}, ${mark.when}${mark.comment ? `: “${mark.comment}”` : ""}`;
      history.append(line);
      one("#history [data-count]").textContent = String(history.children.length);
    }

    keepTheirs() {
      const theirs = this.theirs;
      this.mark = theirs;
      this.discard();
      this.stand(theirs);
      say(`Kept ${theirs.reviewer}'s mark: ${theirs.words}.`);
    }

    async saveMine() {
      this.seen = this.theirs.id;
      this.mark = this.theirs;
      this.theirs = null;
      this.conflict.hidden = true;
      this.nonce = nonce();
      this.touched = true;
      await this.save();
    }

    watch(url) {
      let failing = false;
      const look = async () => {
        if (document.hidden || this.busy) return;
        const seen = this.mark ? this.mark.id : 0;
        const known = this.theirs ? this.theirs.id : seen;
        try {
          const reply = await fetch(`${url}?seen=${known}`, {
            headers: { Accept: "application/json" },
            signal: AbortSignal.timeout(PATIENCE_MS),
          });
          if (!reply.ok) return;
          const said = await reply.json();
          if (failing) say("The review can be reached again.");
          failing = false;
          one("#others").textContent = said.others.length ? `${said.others.join(" and ")} ${said.others.length > 1 ? "are" : "is"} here too` : "";
          one("#rubric-changed").hidden = String(said.revision) === this.form.dataset.revision;
          if (this.busy || known !== (this.theirs ? this.theirs.id : this.mark ? this.mark.id : 0)) return;
          if (said.changed) this.meanwhile(said.mark);
        } catch {
          if (!failing) say("The review cannot be reached. What you do is kept in this browser until it runs again.", true);
          failing = true;
        }
      };
      const again = async () => { await look(); setTimeout(again, POLL_MS); };
      again();
      document.addEventListener("visibilitychange", look);
    }

    async other(action, button) {
      try {
        const { ok, said } = await send(action, this.fields());
        if (!ok) say(said.why || "That was refused.", true);
        else if (said.name) this.named(said.name);
        else if (said.snippet) this.addSnippet(said.snippet);
        else if (button && "drop" in button.dataset) this.dropSnippet(button, said.words);
        else if (said.url) sayThere(said.url, said.words);
        else say(said.words);
      } catch {
        say(GONE, true);
      }
    }

    named(name) {
      one("#name").textContent = `is by ${name}`;
      say(`This answer is by ${name}. That you looked is in the log.`);
    }

    // Snippets

    insert(text) {
      const comment = this.form.elements.comment;
      comment.value = comment.value.trim() ? `${comment.value.replace(/\s+$/, "")}\n${text}` : text;
      one("#snippets").open = false;
      document.activeElement?.blur();
      this.changed();
      say(`Put into the comment: ${text}`);
    }

    addSnippet(snippet) {
      const list = one("#snippets ul");
      if (all(".snippet", list).some((each) => each.dataset.snippet === snippet.text)) {
        say("That snippet is kept already.");
        return;
      }
      const line = one("#snippet-line").content.cloneNode(true);
      const put = one(".snippet", line);
      put.dataset.snippet = snippet.text;
      put.textContent = snippet.text;
      const drop = one("[data-drop]", line);
      drop.setAttribute("formaction", `/snippet/${snippet.id}/drop`);
      drop.setAttribute("aria-label", `Delete the snippet: ${snippet.text.slice(0, 40)}`);
      list.append(line);
      this.countSnippets();
      say("Kept as a snippet.");
    }

    dropSnippet(button, words) {
      const line = button.closest("li");
      const next = line.nextElementSibling || line.previousElementSibling;
      line.remove();
      (next ? one(".snippet", next) : one("#snippets summary")).focus();
      this.countSnippets();
      say(words);
    }

    countSnippets() {
      one("#snippets [data-count]").textContent = String(all("#snippets li").length);
    }
  }

  // Keys

  const dialog = one("#keys");
  const rubricForm = one("[data-rubric-form]");
  const form = rubricForm && ("mark" in rubricForm.dataset ? new Marking(rubricForm) : new RubricForm(rubricForm));

  function press(id) {
    const button = one(id);
    if (button) button.click();
    return Boolean(button);
  }

  function openSnippets() {
    const snippets = one("#snippets");
    if (!snippets) return false;
    snippets.open = true;
    (one(".snippet", snippets) || one("#keep-snippet")).focus();
    return true;
  }

  function walkSnippets(event) {
    const list = all("#snippets .snippet");
    const at = list.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (at < 0 || !step) return false;
    list[(at + step + list.length) % list.length].focus();
    return true;
  }

  function follow(id) {
    const link = one(id);
    if (link) location.assign(link.href);
    else say(id === "#next" ? "This is the last answer." : "This is the first answer.");
    return true;
  }

  const marking = form instanceof Marking && one("#walk");
  const KEYS = {
    "?": () => { dialog.showModal(); return true; },
    ...(form && {
      0: () => { form.clear(); return true; },
      "+": () => { form.adjust(0.5); return true; },
      "=": () => { form.adjust(0.5); return true; },
      "-": () => { form.adjust(-0.5); return true; },
      f: () => { form.flag(); return true; },
      c: () => { form.form.elements.comment.focus(); return true; },
      s: openSnippets,
      u: () => press("#undo"),
    }),
    ...(marking && {
      j: () => follow("#next"),
      ArrowRight: () => follow("#next"),
      k: () => follow("#previous"),
      ArrowLeft: () => follow("#previous"),
      n: () => press("#reveal"),
      g: () => follow("#groups"),
    }),
  };

  function leave(target) {
    const snippets = target.closest?.("#snippets");
    if (snippets) snippets.open = false;
    target.blur?.();
  }

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || dialog.open) return;
    const typing = target.matches?.("textarea, select, input:not([type=checkbox])");
    if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (form) { event.preventDefault(); form.form.requestSubmit(); }
      return;
    }
    if (key === "Escape") {
      leave(target);
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (walkSnippets(event)) {
      event.preventDefault();
      return;
    }
    if (key === "Enter") {
      if (form && !target.closest?.("a, button, summary, input")) { event.preventDefault(); form.form.requestSubmit(); }
      return;
    }
    const act = /^[1-9]$/.test(key) && form ? () => { form.toggle(Number(key)); return true; } : KEYS[key];
    if (act && act()) event.preventDefault();
  });

  // The rest of the page

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) one(`#${opener.dataset.open}`).showModal();
    const snippet = event.target.closest(".snippet");
    if (snippet && form) form.insert(snippet.dataset.snippet);
    const tick = event.target.closest("[data-tick]");
    if (tick) {
      for (const box of all("input[name=answer]:not(:disabled)")) box.checked = tick.dataset.tick === "all";
      count();
    }
  });

  function count() {
    const counted = one("[data-ticked]");
    if (counted) counted.textContent = String(all("input[name=answer]:checked").length);
  }

  for (const button of all("[data-tick]")) button.hidden = false;
  if (one("[data-ticked]")) { rubricForm.addEventListener("input", count); count(); }

  const waiting = one("#drafts");
  if (waiting) {
    for (const draft of drafts()) {
      const link = document.createElement("a");
      link.href = new URL(draft.url, location.origin).pathname;
      link.textContent = draft.label;
      const line = document.createElement("li");
      line.append(link);
      one("ul", waiting).append(line);
      waiting.hidden = false;
    }
  }

  const start = one("[data-focus]");
  if (start) start.focus();
  const words = stored(() => sessionStorage.getItem("review said"));
  if (words) {
    stored(() => sessionStorage.removeItem("review said"));
    setTimeout(() => { if (!status.textContent) say(words); }, 50); // after the page was announced
  }
})();
