// Which impit client a request goes out by. A client has its own connections and TLS sessions, by which a site can tell it
// again: one belongs to one session behind one proxy, or to one request alone.

/** What the pool keeps. */
export interface Exit {
  /** Closes its connections, now and for good. */
  cut(): void;
}

export interface Lease<Kind extends Exit> {
  readonly exit: Kind;
  /** Gives it back, once.
   *  @param whole False: something was left unread or unanswered. impit would keep its connection waiting for that, so the
   *  exit is given up, and it is cut as soon as no other request uses it. */
  end(whole: boolean): void;
}

export interface ImpitPool<Kind extends Exit> {
  /** @param key Null: an exit that nobody else has used or will use. */
  lease(key: string | null, open: () => Kind): Lease<Kind>;
  /** Cuts all, those in use too. */
  cut(): void;
}

/** @param max Exits kept at a time. Beyond, the one that was not used for the longest is let go. */
export function createImpitPool<Kind extends Exit>(max: number): ImpitPool<Kind> {
  // By time of use: the first one was used longest ago.
  const kept = new Map<string, Kind>();
  const users = new Map<Kind, number>();

  const find = (key: string, open: () => Kind): Kind => {
    const exit = kept.get(key) ?? open();
    kept.delete(key);
    kept.set(key, exit);
    for (const [oldest, idle] of kept) {
      if (kept.size <= max) break;
      kept.delete(oldest);
      if (!users.has(idle)) idle.cut();
    }
    return exit;
  };

  return {
    lease(key, open) {
      const exit = key === null ? open() : find(key, open);
      users.set(exit, (users.get(exit) ?? 0) + 1);
      let ended = false;
      return {
        exit,
        end(whole) {
          if (ended) return;
          ended = true;
          const others = (users.get(exit) ?? 1) - 1;
          if (others > 0) users.set(exit, others);
          else users.delete(exit);
          if (!whole && key !== null && kept.get(key) === exit) kept.delete(key);
          if (others === 0 && (key === null || kept.get(key) !== exit)) exit.cut();
        },
      };
    },
    cut() {
      for (const exit of new Set([...kept.values(), ...users.keys()])) exit.cut();
      kept.clear();
      users.clear();
    },
  };
}
