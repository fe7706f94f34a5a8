import { drawBoard, drawSection } from "../lib/draw";
import type { DrawBoard, DrawWidget } from "../lib/draw";

/**
 * What the server's engine calls. Texts in and out, no host objects needed. `board` takes a published dashboard and returns
 * {title, body, css}; `widget` takes one of its widgets and returns its card as the board's grid holds it.
 */
const widgets = {
  board: (json: string): string => JSON.stringify(drawBoard(JSON.parse(json) as DrawBoard)),
  widget: (json: string): string => drawSection(JSON.parse(json) as DrawWidget),
};

declare global {
  var widgets: { board(json: string): string; widget(json: string): string };
}
globalThis.widgets = widgets;
