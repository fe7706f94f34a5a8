import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const bin = resolve(import.meta.dirname, "../../build/bin");

/** A program of ours, running in a folder of its own. */
class Program {
  protected child: ChildProcess | null = null;
  protected output = "";

  constructor(private readonly name: string) {}

  /** All that the program has printed since it was started. */
  get log(): string {
    return this.output;
  }

  protected run(args: readonly string[], env: Record<string, string> = {}, name = this.name): void {
    this.output = "";
    const child = spawn(join(bin, name), args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const take = (b: Buffer): void => {
      this.output += b.toString();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    this.child = child;
  }

  /** Waits until the program has printed something that matches. */
  protected async printed(pattern: RegExp): Promise<RegExpMatchArray> {
    const child = this.child;
    return await new Promise((done, fail) => {
      const look = (): void => {
        const found = pattern.exec(this.output);
        if (found)
          finish(() => {
            done(found);
          });
      };
      const ended = (): void => {
        finish(() => {
          fail(new Error(`${this.name} ended:\n${this.output}`));
        });
      };
      const timer = setTimeout(() => {
        finish(() => {
          fail(new Error(`${this.name} did not print ${String(pattern)}:\n${this.output}`));
        });
      }, 20_000);
      const finish = (then: () => void): void => {
        clearTimeout(timer);
        child?.stdout?.off("data", look);
        child?.stderr?.off("data", look);
        child?.off("exit", ended);
        then();
      };
      child?.stdout?.on("data", look);
      child?.stderr?.on("data", look);
      child?.on("exit", ended);
      look();
    });
  }

  /** Ends the program as a shutdown would (SIGTERM), or as a power cut would (SIGKILL). */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((done) => {
      child.once("exit", done);
      child.kill(signal);
    });
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return await new Promise((done, fail) => {
    const s = createServer();
    s.once("error", fail);
    s.listen(0, "127.0.0.1", () => {
      const address = s.address();
      s.close(() => {
        if (address && typeof address === "object") done(address.port);
        else fail(new Error("no port"));
      });
    });
  });
}

/** The real sync server, on a port that stays the same over restarts. */
export class Server extends Program {
  private constructor(
    readonly dir: string,
    private readonly port: number,
    private readonly base: string | undefined,
  ) {
    super("widgets-server");
  }

  /** `base` is the public address where it is another than the one listened on. */
  static async start(port?: number, base?: string): Promise<Server> {
    const s = new Server(await mkdtemp(join(tmpdir(), "widgets-server-")), port ?? (await freePort()), base);
    await s.start();
    return s;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Starts the server on the data that it has, or, with `days`, one that is the same but for its clock: that many days on. */
  async start(days = 0): Promise<void> {
    const settings = [
      "--listen",
      `127.0.0.1:${String(this.port)}`,
      "--data",
      join(this.dir, "server.db"),
      "--base-url",
      this.base ?? this.url,
      "--trusted-proxies",
      "127.0.0.1",
      "--dev-mailbox=true",
      "--log-level",
      "debug",
    ];
    if (days === 0) this.run(settings);
    else this.run(["--ahead", `${String(24 * days)}h`, ...settings], {}, "widgets-server-ahead");
    const until = Date.now() + 20_000;
    for (;;) {
      const ready = await fetch(`${this.url}/readyz`).then(
        (r) => r.ok,
        () => false,
      );
      if (ready) return;
      if (Date.now() > until || !this.child || this.child.exitCode !== null)
        throw new Error(`the server is not ready:\n${this.output}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** The real desktop program, serving its window's UI on loopback. */
export class App extends Program {
  url = "";

  private constructor(
    readonly dir: string,
    private readonly server: string,
  ) {
    super("widgets");
  }

  static async start(server: string): Promise<App> {
    const a = new App(await mkdtemp(join(tmpdir(), "widgets-app-")), server);
    await a.start();
    return a;
  }

  /** Starts the program; `url` is the address with its one-time key. */
  async start(): Promise<void> {
    this.run(["--loopback", "--data", this.dir, "--server", this.server], {
      HOME: this.dir,
      XDG_CONFIG_HOME: join(this.dir, "config"),
      XDG_DATA_HOME: join(this.dir, "share"),
      XDG_CACHE_HOME: join(this.dir, "cache"),
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent",
    });
    const found = await this.printed(/http:\/\/127\.0\.0\.1:\d+\/\?key=\S+/);
    this.url = found[0];
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
