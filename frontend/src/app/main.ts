import { mount } from "svelte";
import "../styles/tokens.css";
import "../styles/widgets.css";
import "../styles/app.css";
import { httpBackend } from "../lib/backend/http";
import { readouts } from "../lib/live/readout";
import App from "./App.svelte";

const target = document.getElementById("app");
if (target) mount(App, { target, props: { backend: httpBackend() } });

// Values under the pointer, as on share pages.
readouts();
