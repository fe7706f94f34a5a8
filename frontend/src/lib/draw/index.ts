/**
 * The one drawing of dashboards: pure functions from data to HTML, without DOM, clock, Intl or style attributes, so that
 * the app, the share page and the server's engine draw the same bytes. Styles are styles/tokens.css and widgets.css.
 */
export { drawWidget, drawSection } from "./widget";
export { drawBoard, drawLayout } from "./board";
export { pack, overlap, gridColumns } from "./pack";
export { formatNumber } from "./number";
export { formatTime } from "./time";
export type { Cell, Column, ColumnType, DrawBoard, DrawOptions, DrawWidget, Layout, Options, Row } from "./types";
