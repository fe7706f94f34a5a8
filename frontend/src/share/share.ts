/**
 * What a share page does once its script runs: it stays up to date, lets people work with what it shows, and goes when
 * access goes. link.ts is the connection, view.ts what is shown, prompt.ts the password, leave.ts
 * the end, frame.ts what embedding adds. embed.ts is another script, for the pages around.
 */
import { tellHeight } from "./frame";
import { lock, refuse, reload } from "./leave";
import { connect } from "./link";
import type { Link } from "./link";
import { forget, recall } from "./memory";
import { unlock } from "./prompt";
import { view } from "./view";

const opened = recall("again") === null;
forget("again");

tellHeight();
const shown = view();
const link: Link = {
  ...shown,
  over(why) {
    shown.stop();
    if (why === "locked") lock();
    else refuse();
  },
  reload() {
    shown.stop();
    reload();
  },
};
if (document.documentElement.dataset["locked"] === undefined) connect(link, { session: recall("session"), opened });
else unlock(link, opened);
