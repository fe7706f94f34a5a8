import type { Column, Options, Row, WidgetKind } from "../../lib/backend/types";
import type { IconName } from "../../components/icons";

/** One option of a kind as the settings panel shows it. Names, types and limits are those of shared/board. */
export interface OptionSpec {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly type: "text" | "bool" | "int" | "choice" | "column" | "columns";
  readonly choices?: readonly (readonly [value: string, label: string])[];
  readonly min?: number;
  readonly max?: number;
  /** What a yes-or-no option is when nothing is set; what an empty field says otherwise. */
  readonly auto?: boolean;
  readonly placeholder?: string;
}

/** A kind of widget as it is offered. */
export interface KindSpec {
  readonly kind: WidgetKind;
  readonly name: string;
  readonly about: string;
  readonly icon: IconName;
  readonly size: { readonly w: number; readonly h: number };
  readonly options: readonly OptionSpec[];
  /** What a new widget begins with, so that it shows something at once. */
  readonly sample: {
    readonly title: string;
    readonly options: Options;
    readonly columns: readonly Column[];
    readonly rows: readonly Row[];
  };
}

const format: readonly OptionSpec[] = [
  { name: "prefix", label: "Before the number", type: "text", placeholder: "for example $" },
  { name: "unit", label: "After the number", type: "text", placeholder: "for example %, ms or users" },
  { name: "decimals", label: "Decimals", type: "int", min: 0, max: 6, placeholder: "Automatic" },
];

const day = 86_400_000;
const start = Date.UTC(2026, 0, 5);
const wave = [42, 45, 44, 51, 49, 56, 61, 58, 64, 69, 67, 74];

export const kinds: readonly KindSpec[] = [
  {
    kind: "stat",
    name: "Number",
    about: "One figure, with its trend",
    icon: "stat",
    size: { w: 3, h: 2 },
    options: [
      { name: "value", label: "Value from", type: "column" },
      {
        name: "aggregate",
        label: "Show",
        type: "choice",
        choices: [
          ["last", "Latest value"],
          ["first", "First value"],
          ["sum", "Sum"],
          ["mean", "Average"],
          ["min", "Lowest"],
          ["max", "Highest"],
          ["count", "Number of rows"],
        ],
      },
      { name: "trend", label: "Trend line", type: "bool", auto: true },
      {
        name: "better",
        label: "Good is",
        type: "choice",
        choices: [
          ["up", "Going up"],
          ["down", "Going down"],
          ["neither", "Neither"],
        ],
        hint: "Colours the change.",
      },
      ...format,
    ],
    sample: {
      title: "New number",
      options: {},
      columns: [
        { name: "Day", type: "time" },
        { name: "Value", type: "number" },
      ],
      rows: wave.map((v, i) => [start + i * day, v]),
    },
  },
  {
    kind: "line",
    name: "Line chart",
    about: "How values change over time",
    icon: "line",
    size: { w: 6, h: 5 },
    options: [
      { name: "x", label: "Along the bottom", type: "column" },
      { name: "y", label: "Lines", type: "columns" },
      { name: "area", label: "Fill the area", type: "bool", auto: false },
      { name: "stack", label: "Stack the series", type: "bool", auto: false },
      { name: "zero", label: "Start at zero", type: "bool", auto: false },
      { name: "legend", label: "Legend", type: "bool", auto: true },
      ...format,
    ],
    sample: {
      title: "New line chart",
      options: {},
      columns: [
        { name: "Day", type: "time" },
        { name: "This week", type: "number" },
        { name: "Last week", type: "number" },
      ],
      rows: wave.map((v, i) => [start + i * day, v, Math.round(v * 0.82 + (i % 3) * 2)]),
    },
  },
  {
    kind: "bar",
    name: "Bar chart",
    about: "Compare categories",
    icon: "bar",
    size: { w: 6, h: 5 },
    options: [
      { name: "x", label: "Categories", type: "column" },
      { name: "y", label: "Bars", type: "columns" },
      { name: "horizontal", label: "Horizontal bars", type: "bool", auto: false },
      { name: "stack", label: "Stack the series", type: "bool", auto: false },
      { name: "legend", label: "Legend", type: "bool", auto: true },
      ...format,
    ],
    sample: {
      title: "New bar chart",
      options: {},
      columns: [
        { name: "Region", type: "text" },
        { name: "Orders", type: "number" },
      ],
      rows: [
        ["North", 320],
        ["South", 275],
        ["East", 190],
        ["West", 240],
        ["Online", 410],
      ],
    },
  },
  {
    kind: "table",
    name: "Table",
    about: "Rows and columns, as they are",
    icon: "table",
    size: { w: 6, h: 5 },
    options: [
      { name: "columns", label: "Columns", type: "columns" },
      { name: "limit", label: "Rows shown", type: "int", min: 1, max: 1000, placeholder: "Automatic" },
      { name: "newestFirst", label: "Newest first", type: "bool", auto: false },
    ],
    sample: {
      title: "New table",
      options: {},
      columns: [
        { name: "Customer", type: "text" },
        { name: "Plan", type: "text" },
        { name: "Revenue", type: "number" },
      ],
      rows: [
        ["Alder & Co", "Team", 480],
        ["Birch Labs", "Starter", 96],
        ["Cedar Works", "Team", 520],
        ["Dogwood", "Business", 1240],
      ],
    },
  },
  {
    kind: "markdown",
    name: "Text",
    about: "Headings, lists, links and notes",
    icon: "text",
    size: { w: 4, h: 4 },
    options: [],
    sample: {
      title: "",
      options: {
        text: "## Notes\n\nWrite **Markdown** here: lists, [links](https://example.com) and tables.\n\n- First point\n- Second point\n",
      },
      columns: [],
      rows: [],
    },
  },
  {
    kind: "status",
    name: "Status list",
    about: "What is up, slow or down",
    icon: "status",
    size: { w: 4, h: 4 },
    options: [
      { name: "label", label: "Name from", type: "column" },
      { name: "state", label: "State from", type: "column", hint: "Words such as ok, degraded, down are coloured." },
      { name: "detail", label: "Detail from", type: "column" },
    ],
    sample: {
      title: "New status list",
      options: {},
      columns: [
        { name: "Service", type: "text" },
        { name: "State", type: "text" },
        { name: "Detail", type: "text" },
      ],
      rows: [
        ["Website", "ok", "120 ms"],
        ["Checkout", "degraded", "slow since 09:40"],
        ["Search", "ok", "35 ms"],
        ["E-mail", "down", "being fixed"],
      ],
    },
  },
];

export function kindSpec(kind: string): KindSpec | undefined {
  return kinds.find((k) => k.kind === kind);
}
