/** Looks of the board page: light and dark by the reader's setting, eight columns in 1 280 px. */
export const BOARD_STYLE = `
:root { color-scheme: light dark; --page: #f4f5f7; --panel: #ebedf0; --card: #ffffff; --line: #dcdfe4; --ink: #1c2024; --soft: #5f6670; }
@media (prefers-color-scheme: dark) {
  :root { --page: #121417; --panel: #1a1d21; --card: #24282e; --line: #343a42; --ink: #eceef1; --soft: #9aa3ae; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 20px 24px 40px; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header { display: flex; align-items: center; gap: 10px; }
h1 { margin: 0; font-size: 20px; }
.tag { padding: 1px 8px; border: 1px solid var(--line); border-radius: 999px; color: var(--soft); font-size: 12px; }
h2 { margin: 22px 0 10px; font-size: 15px; font-weight: 600; }
.key { font: 12px ui-monospace, monospace; color: var(--soft); }
.columns { display: flex; gap: 8px; align-items: stretch; overflow-x: auto; }
.column { flex: 1 1 0; min-width: 138px; padding: 8px; background: var(--panel); border-radius: 10px; border-top: 3px solid var(--state); }
h3 { display: flex; align-items: baseline; gap: 6px; margin: 0 0 8px; font-size: 12px; font-weight: 600; min-height: 34px; }
h3 i { flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--state); }
h3 small { margin-left: auto; color: var(--soft); font-weight: 400; }
.empty h3 { color: var(--soft); }
article { padding: 9px 10px; margin-bottom: 8px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 1px 2px rgb(0 0 0 / 8%); overflow-wrap: anywhere; }
article p { margin: 0; }
.meta { display: flex; justify-content: space-between; gap: 6px; }
.name { margin-top: 3px !important; font-weight: 550; }
.priority { font-size: 11px; color: var(--soft); }
.priority.urgent { color: #e5484d; }
.priority.high { color: #e2730c; }
.facts { margin-top: 6px !important; color: var(--soft); font-size: 12px; }
blockquote { margin: 6px 0 0; padding-left: 8px; border-left: 2px solid var(--state); color: var(--soft); font-size: 12px; }
blockquote b { color: var(--ink); font-weight: 600; }
`;
