// The review's script: keys, running points, drafts that survive a reload, and news from other reviewers.
// Every page works without it, except for the keys and the drafts.

import { listenToClicks } from "./clicks.js";
import { find } from "./dom.js";
import { keepReplies, listDrafts } from "./drafts.js";
import { Group } from "./group.js";
import { listenToKeys } from "./keyboard.js";
import { Marking } from "./marking.js";
import { RubricEditor } from "./rubric_editor.js";
import { sayWhatWasLeft } from "./status.js";

const editor = /** @type {HTMLFormElement | null} */ (find("[data-editor]"));
if (editor) new RubricEditor(editor);

const rubric = /** @type {HTMLFormElement | null} */ (find("[data-rubric-form]"));
const form = rubric && ("mark" in rubric.dataset ? new Marking(rubric) : new Group(rubric));

keepReplies();
listDrafts();
listenToKeys(form);
listenToClicks(form);
find("[data-focus]")?.focus();
sayWhatWasLeft();
