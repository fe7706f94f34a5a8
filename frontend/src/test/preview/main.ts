// The application over the program in memory, to look at its screens: `node src/test/preview/serve.mjs`.
import { mount } from "svelte";
import "../../styles/tokens.css";
import "../../styles/widgets.css";
import "../../styles/app.css";
import App from "../../app/App.svelte";
import { FakeBackend } from "../fakeBackend";
import { scenes } from "./scenes";

const backend = new FakeBackend();
const wanted = new URLSearchParams(location.search);
scenes[wanted.get("scene") ?? ""]?.(backend);
const theme = wanted.get("theme");
if (theme === "light" || theme === "dark") backend.appState = { ...backend.appState, settings: { theme } };
if (location.hash === "") location.hash = "#/board/dsh_SHOP";
Object.assign(window, { backend });

const target = document.getElementById("app");
if (target) mount(App, { target, props: { backend } });
