import { readFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, type Server as NetServer, connect } from "node:net";
import { createServer as createTls } from "node:tls";
import { join } from "node:path";

/** A certificate for localhost and 127.0.0.1 that these tests alone use; browsers are told to accept it. */
const tls = {
  cert: readFileSync(join(import.meta.dirname, "tls/cert.pem")),
  key: readFileSync(join(import.meta.dirname, "tls/key.pem")),
};

/**
 * Somebody else's web site, which shows what a test puts there. Its host is "localhost", while the programs' is
 * "127.0.0.1": for a browser that is another site, so what it frames is a third party there.
 */
export class Site {
  private constructor(
    private readonly listeners: NetServer[],
    readonly origin: string,
    private readonly shown: { html: string },
  ) {}

  static async start(secure = false): Promise<Site> {
    const shown = { html: "" };
    const plain = createHttp((_, answer) => {
      answer.setHeader("Content-Type", "text/html; charset=utf-8");
      answer.end(shown.html);
    });
    const port = await listen(plain, "localhost");
    if (!secure) return new Site([plain], `http://localhost:${String(port)}`, shown);
    const front = await secured(port, "localhost");
    return new Site([front, plain], `https://localhost:${String((front.address() as AddressInfo).port)}`, shown);
  }

  /** Shows `body` in a page of its own from now on. */
  show(body: string): void {
    this.shown.html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Somebody else</title></head><body><main><h1>Somebody else</h1>${body}</main></body></html>`;
  }

  async close(): Promise<void> {
    for (const l of this.listeners) await closed(l);
  }
}

/** What a reverse proxy does for the server: it speaks TLS with browsers and passes everything on, websockets too. */
export class Front {
  private constructor(
    private readonly listener: NetServer,
    readonly url: string,
  ) {}

  static async start(port: number): Promise<Front> {
    const listener = await secured(port, "127.0.0.1");
    return new Front(listener, `https://127.0.0.1:${String((listener.address() as AddressInfo).port)}`);
  }

  async close(): Promise<void> {
    await closed(this.listener);
  }
}

async function secured(port: number, host: string): Promise<NetServer> {
  const listener = createTls(tls, (outside) => {
    const inside = connect(port, host);
    for (const s of [outside, inside]) s.on("error", () => s.destroy());
    outside.on("close", () => inside.destroy());
    inside.on("close", () => outside.destroy());
    outside.pipe(inside).pipe(outside);
  });
  await listen(listener, host);
  return listener;
}

async function listen(s: NetServer, host: string): Promise<number> {
  await new Promise<void>((done, fail) => {
    s.once("error", fail);
    s.listen(0, host, done);
  });
  return (s.address() as AddressInfo).port;
}

async function closed(s: NetServer): Promise<void> {
  if ("closeAllConnections" in s) (s as unknown as { closeAllConnections(): void }).closeAllConnections();
  await new Promise((done) => s.close(done));
}
