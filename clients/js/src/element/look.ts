// How the notification centre looks; every part can be styled from outside by `carillon-inbox::part(…)`.

/** What it says; another language replaces it. */
export interface Texts {
  readonly title: string;
  readonly readAll: string;
  readonly empty: string;
  readonly older: string;
  readonly remove: string;
  readonly failed: string;
}

export const ENGLISH: Texts = {
  title: "Notifications",
  readAll: "Mark all read",
  empty: "No notifications",
  older: "Older",
  remove: "Remove",
  failed: "That could not be done",
};

export const MARKUP = `
<style>
  :host { position: relative; display: inline-block; font: 14px/1.4 system-ui, sans-serif; color: #1f2328 }
  button { font: inherit; color: inherit; background: none; border: 0; padding: 4px 8px; cursor: pointer }
  [hidden] { display: none !important }
  [part=bell] { position: relative; font-size: 20px }
  [part=badge] { position: absolute; top: 0; right: 0; min-width: 16px; padding: 0 4px; border-radius: 9px;
    background: #cf222e; color: #fff; font-size: 11px; line-height: 18px }
  [part=popover] { position: absolute; right: 0; z-index: 1000; width: 24rem; max-width: 90vw; max-height: 24rem;
    overflow: auto; background: #fff; border: 1px solid #d0d7de; border-radius: 8px; box-shadow: 0 8px 24px #0003 }
  header { display: flex; justify-content: space-between; align-items: center; padding: 8px 12px }
  h2 { font-size: 16px; margin: 0 }
  ul { list-style: none; margin: 0; padding: 0 }
  li { display: flex; border-top: 1px solid #d0d7de }
  li > :first-child { flex: 1; text-align: start; padding: 8px 12px }
  li.unread { background: #ddf4ff }
  strong, small { display: block }
  [part=empty] { padding: 24px; text-align: center; color: #656d76 }
  [part=toasts] { position: fixed; right: 16px; bottom: 16px; z-index: 1001; max-width: 24rem }
  [part=toast] { margin-top: 8px; padding: 8px 12px; background: #24292f; color: #fff; border-radius: 8px }
</style>
<button part="bell" aria-haspopup="dialog" aria-expanded="false">🔔<span part="badge" hidden></span></button>
<section part="popover" role="dialog" hidden>
  <header><h2></h2><button part="read-all" hidden></button></header>
  <ul part="list"></ul>
  <p part="empty" hidden></p>
  <button part="older" hidden></button>
</section>
<div part="toasts" role="status" aria-live="polite"></div>
`;
