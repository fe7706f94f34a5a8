// The workspace on a sync server: the same screens as the desktop program's.
import { mount } from "svelte";
import "../styles/tokens.css";
import "../styles/widgets.css";
import "../styles/app.css";
import { storedTheme, WebBackend } from "../lib/backend/web";
import { readouts } from "../lib/live/readout";
import { pathAddress } from "../lib/state/address";
import App from "./App.svelte";

// Before anything is drawn, so that it is not drawn in another theme first.
const theme = storedTheme(localStorage);
if (theme !== "system") document.documentElement.dataset["theme"] = theme;

const target = document.getElementById("app");
if (target)
  mount(App, { target, props: { backend: new WebBackend(), address: pathAddress("/app", location, history) } });

// Values under the pointer, as on share pages.
readouts();
