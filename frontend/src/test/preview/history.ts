import type { BoardView, HistoryChange, Layout, Row, WidgetView } from "../../lib/backend/types";
import type { FakeBackend } from "../fakeBackend";
import { shopId, shopWidgets } from "../samples";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

type Content = Pick<BoardView, "title" | "description" | "theme" | "widgets">;
type Who = Partial<Omit<HistoryChange, "position" | "items">>;

function edited(c: Content, title: string, to: (w: WidgetView) => Partial<WidgetView>): Content {
  return { ...c, widgets: c.widgets.map((w) => (w.title === title ? { ...w, ...to(w) } : w)) };
}

function option(c: Content, title: string, name: string, value: unknown): Content {
  return edited(c, title, (w) => ({ options: { ...w.options, [name]: value } }));
}

function moved(c: Content, title: string, layout: Layout): Content {
  return edited(c, title, () => ({ layout }));
}

/** Weeks in which several people made the shop's dashboard what it is, told backwards; the oldest is nobody's any more. */
export function tellHistory(backend: FakeBackend, now = Date.now()): void {
  const final = backend.view(shopId);
  const grace: Who = { by: "Grace Hopper", mine: false };
  const alan: Who = { by: "Alan Turing", mine: false };
  const before: { content: Content; who: Who; lost?: Content }[] = [];
  let c: Content = { ...final, widgets: shopWidgets() };
  /** What happened `ago`, and what it was like before. */
  const step = (ago: number, who: Who, was: (c: Content) => Content, lost?: Content): void => {
    before.push({ content: c, who: { ...who, at: now - ago }, ...(lost ? { lost } : {}) });
    c = was(c);
  };
  const few = (rows: readonly Row[], n: number): readonly Row[] => rows.slice(0, -n);

  step(2 * minute, {}, (x) => option(moved(x, "Services", { x: 8, y: 2, w: 4, h: 4 }), "Revenue", "prefix", "$"));
  step(14 * minute, grace, (x) => edited(x, "Visitors by channel", (w) => ({ rows: few(w.rows, 3) })));
  step(50 * minute, {}, (x) => edited(x, "Orders by region", () => ({ title: "Orders" })), {
    ...edited(c, "Orders by region", () => ({ title: "Where orders come from" })),
  });
  step(1 * day + hour, alan, (x) => {
    let y = option(x, "Conversion", "decimals", 1);
    y = option(y, "Conversion", "unit", "");
    y = option(y, "Visitors by channel", "area", false);
    y = edited(y, "Refunds", () => ({ title: "Returns" }));
    y = { ...y, description: "" };
    y = moved(y, "Revenue", { x: 0, y: 0, w: 4, h: 2 });
    return moved(y, "Refunds", { x: 9, y: 0, w: 3, h: 3 });
  });
  step(1 * day + 3 * hour, grace, (x) => ({ ...x, title: "Shop" }));
  step(1 * day + 5 * hour, {}, (x) => ({
    ...x,
    widgets: [
      ...x.widgets,
      { ...(x.widgets[1] as WidgetView), id: "wgt_GONE" as WidgetView["id"], title: "Newsletter" },
    ],
  }));
  step(4 * day, {}, (x) => edited(x, "Largest customers", (w) => ({ rows: few(w.rows, 4) })));
  step(4 * day + 2 * hour, { by: "", mine: false }, (x) => ({
    ...x,
    widgets: x.widgets.filter((w) => !["Services", "Largest customers", "Orders"].includes(w.title)),
  }));
  step(23 * day, { by: "", mine: false }, (x) => ({ ...x, widgets: x.widgets.slice(0, 3) }));
  for (const { content, who, lost } of before.reverse()) {
    backend.past.record(shopId, c, content, who);
    if (lost) backend.past.record(shopId, content, lost, { ...grace, at: (who.at ?? now) + 8 * minute, lost: true });
    c = content;
  }
}

/** The last of them have not reached the server. */
export function tellWaiting(backend: FakeBackend): void {
  tellHistory(backend);
  const { widgets, ...view } = backend.view(shopId);
  const next = edited({ ...view, widgets }, "Revenue", () => ({ title: "Net revenue" }));
  backend.past.record(shopId, { ...view, widgets }, next, { waiting: true });
  backend.views.set(shopId, { ...view, ...next, queued: 1, sync: "waiting" });
}
