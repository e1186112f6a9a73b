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

  const kept = (key) => stored(() => JSON.parse(localStorage.getItem(PREFIX + key)));
  const forget = (key) => stored(() => localStorage.removeItem(PREFIX + key));

  /** Keep what is not saved yet; the overview lists it by its label. */
  function keep(key, label, what) {
    const draft = { ...what, url: location.pathname + location.search, label, at: Date.now() };
    const done = stored(() => { localStorage.setItem(PREFIX + key, JSON.stringify(draft)); return true; });
    if (!done) say("This browser cannot keep drafts: what you have not saved is lost with the page.", true);
  }

  const BACK = "What you had not saved is back.";

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
      this.key = form.dataset.draft;
      this.unsaved = one("#unsaved");
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
      one("#discard").addEventListener("click", () => this.discard());
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
        return ok;
      } catch {
        say(GONE, true);
        return false;
      }
    }
  }

  // Like answers under one mark: the mark and the ticks are kept at each change

  class Group extends RubricForm {
    constructor(form) {
      super(form);
      this.answers = all("input[name=answer]:not(:disabled)", form);
      this.tried = false;
      history.replaceState(null, "", form.dataset.place); // a reload stays with this group
      this.fill(EMPTY); // a browser fills forms in anew as it likes
      this.tick(() => true);
      form.addEventListener("change", (event) => { if (event.target.name === "answer") this.ticked(); });
      this.restore();
    }

    tick(which) {
      for (const box of this.answers) box.checked = which(box.value);
      this.count();
    }

    count() {
      one("[data-ticked]", this.form).textContent = String(this.answers.filter((box) => box.checked).length);
    }

    ticked() {
      this.count();
      this.another();
    }

    get dirty() {
      return this.touched || this.answers.some((box) => !box.checked);
    }

    restore() {
      const before = kept(this.key);
      if (!before) return;
      const known = this.boxes.map((box) => box.value);
      this.fill({ ...before, items: before.items.filter((item) => known.includes(item)) });
      this.tick((answer) => before.ticked.includes(answer));
      this.touched = before.touched;
      this.keep();
      say(BACK);
    }

    /** Something changed. An act that was tried may have been done, with only the answer to it lost: this is another. */
    another() {
      if (this.tried) this.form.elements.nonce.value = nonce();
      this.tried = false;
      this.keep();
    }

    keep() {
      this.unsaved.hidden = !this.dirty;
      const ticked = this.answers.filter((box) => box.checked).map((box) => box.value);
      if (this.dirty) keep(this.key, this.form.dataset.label, { ...this.draft, ticked, touched: this.touched });
      else forget(this.key);
    }

    changed() {
      super.changed();
      this.another();
    }

    discard() {
      this.touched = false;
      this.fill(EMPTY);
      this.tick(() => true);
      this.another();
      say("Discarded.");
      this.main.focus();
    }

    async save() {
      if (this.busy) return;
      if (!this.touched) {
        say("Nothing chosen yet. 0 gives no points; Enter then saves.");
        return;
      }
      this.busy = true;
      this.tried = true;
      if (await this.other(this.form.getAttribute("action"))) forget(this.key);
      this.busy = false;
    }
  }

  // One answer: its draft is kept at each change, and what others do to it is seen

  class Marking extends RubricForm {
    constructor(form) {
      super(form);
      this.mark = JSON.parse(form.dataset.mark);
      this.empty = form.dataset.empty ? JSON.parse(form.dataset.empty) : EMPTY;
      this.seen = this.mark ? this.mark.id : 0;
      this.nonce = form.elements.nonce.value;
      this.tried = null;
      this.theirs = null;
      this.conflict = one("#conflict");
      one("#keep-theirs").addEventListener("click", () => this.keepTheirs());
      one("#save-mine").addEventListener("click", () => this.saveMine());
      one("#history")?.addEventListener("toggle", () => this.tell());
      this.fill(this.mark || this.empty); // a browser fills forms in anew as it likes
      this.restore();
      if (form.dataset.now) this.watch(form.dataset.now);
    }

    get dirty() {
      return this.touched && !(this.mark && same(this.draft, this.mark));
    }

    restore() {
      const before = kept(this.key);
      if (!before) return;
      if (this.mark && this.mark.reviewer === page.reviewer && same(before, this.mark)) {
        forget(this.key); // it was saved, and only the answer to that was lost
        return;
      }
      const known = this.boxes.map((box) => box.value);
      this.fill({ ...EMPTY, ...before, items: before.items.filter((item) => known.includes(item)) });
      this.touched = true;
      this.nonce = before.nonce || this.nonce;
      this.tried = before.tried || null;
      this.seen = before.seen;
      this.keep();
      const current = this.mark ? this.mark.id : 0;
      if (before.seen !== current) this.meanwhile(this.mark);
      else say(BACK);
    }

    keep() {
      this.unsaved.hidden = !this.dirty;
      const { seen, tried, nonce: name } = this;
      if (this.dirty) keep(this.key, this.form.dataset.label, { ...this.draft, seen, tried, nonce: name });
      else forget(this.key);
    }

    changed() {
      super.changed();
      if (this.tried && !same(this.tried, this.draft)) this.nonce = nonce(); // another act than the one that was tried
      this.keep();
    }

    discard() {
      this.touched = false;
      this.tried = null;
      forget(this.key);
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
        forget(this.key);
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
        if (same(draft, this.draft)) forget(this.key);
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
      one("[data-theirs]", this.conflict).textContent = mark.line;
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
      standing.textContent = mark ? `Marked: ${mark.line}` : "Not marked yet";
      this.tell();
    }

    /** Fill the history, where it is open. */
    async tell() {
      const history = one("#history");
      if (!history || !history.open) return;
      try {
        const reply = await fetch(one("a", history).href, { headers: { Accept: "application/json" } });
        const marks = (await reply.json()).history;
        const list = document.createElement("ol");
        list.className = "history";
        for (const mark of marks) {
          const line = document.createElement("li");
          const comment = mark.comment ? `: “${mark.comment}”` : "";
          line.textContent = mark.line + comment;
          list.append(line);
        }
        one("ol", history)?.remove();
        one("p", history).hidden = marks.length > 0;
        if (marks.length) history.append(list);
        else one("a", history).textContent = "Nobody has marked it yet.";
      } catch {
        say("The history cannot be read just now.", true);
      }
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
      one("#name").textContent = `by ${name}`;
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

  // A rubric being changed. The server shows it as it was typed, until it is in force; a page that was left or loaded
  // anew before that offers what was typed.

  class Editor {
    constructor(form) {
      this.form = form;
      this.key = form.dataset.draft;
      this.before = kept(this.key);
      this.offer = one("#typed-before");
      form.addEventListener("input", () => this.keep(false));
      form.addEventListener("submit", () => this.keep(true));
      one("#drop-typed").addEventListener("click", () => this.drop());
      const { state } = form.dataset;
      const sent = this.before && this.before.sent;
      if (state === "applied" && (!this.before || sent)) forget(this.key);
      else if (state === "typed" && (!this.before || sent)) this.keep(true);
      else if (this.before) this.show();
    }

    get rows() {
      const values = (name) => all(`[name=${name}]`, this.form).map((field) => field.value);
      const [ids, points, texts] = ["id", "points", "text"].map(values);
      return ids.map((id, at) => ({ id, points: points[at], text: texts[at] }));
    }

    /** `sent`: the next page shows it. */
    keep(sent) {
      if (!this.offer.hidden) return; // what was typed before is not decided about yet
      const revision = this.form.elements.revision.value;
      keep(this.key, this.form.dataset.label, { rows: this.rows, revision, sent });
    }

    show() {
      if (JSON.stringify(this.before.rows) === JSON.stringify(this.rows)) {
        if (this.form.dataset.state === "in force") forget(this.key);
        return;
      }
      const again = one("form", this.offer);
      const put = (name, value) => {
        const field = document.createElement("input");
        Object.assign(field, { type: "hidden", name, value });
        again.append(field);
      };
      put("revision", this.before.revision);
      for (const row of this.before.rows) for (const name of ["id", "points", "text"]) put(name, row[name]);
      again.addEventListener("submit", () => keep(this.key, this.form.dataset.label, { ...this.before, sent: true }));
      this.offer.hidden = false;
      this.form.inert = true; // first this is decided
    }

    drop() {
      this.offer.hidden = true;
      this.form.inert = false;
      if (this.form.dataset.state === "typed") this.keep(true);
      else forget(this.key);
      say("Discarded.");
      one("[name=points]", this.form).focus();
    }
  }

  const editor = one("[data-editor]");
  if (editor) new Editor(editor);

  // Replies to requests

  for (const section of all("[data-reply]")) {
    const key = section.dataset.reply;
    const before = kept(key);
    const field = one("textarea", section);
    const unsent = one("[data-unsent]", section);
    if (field) {
      if (before && !field.value.trim()) { field.value = before.reply; say(BACK); }
      field.addEventListener("input", () => {
        if (field.value.trim()) keep(key, section.dataset.label, { reply: field.value });
        else forget(key);
      });
    } else if (before && before.reply.trim() === section.dataset.given) {
      forget(key); // it was sent
    } else if (before) {
      one("span", unsent).textContent = before.reply;
      one("button", unsent).addEventListener("click", () => { forget(key); unsent.hidden = true; say("Discarded."); });
      unsent.hidden = false;
    }
  }

  // Keys

  const dialog = one("#keys");
  const rubricForm = one("[data-rubric-form]");
  const form = rubricForm && ("mark" in rubricForm.dataset ? new Marking(rubricForm) : new Group(rubricForm));

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
      form.tick(() => tick.dataset.tick === "all");
      form.ticked();
    }
  });

  for (const button of all("[data-tick]")) button.hidden = false;

  const waiting = one("#drafts");
  if (waiting) {
    for (const draft of drafts()) {
      const link = document.createElement("a");
      const url = new URL(draft.url, location.origin);
      link.href = url.pathname + url.search;
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
