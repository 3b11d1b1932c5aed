extension HTMLReport {
    /// Contrast of all text is at least 4.5 to 1 in both schemes (www.w3.org/TR/WCAG22, 1.4.3).
    static let style = """

        :root {
          color-scheme: light dark;
          --paper: #fcfcfb; --ink: #1b1f24; --muted: #59636e; --rule: #e2e5e9; --shade: #eef0f2;
          --line: #0f766e; --area: #0f766e1f; --good: #0f766e; --bad: #b42318; --bad-paper: #fdf1ef;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #15181b; --ink: #e7e9ec; --muted: #9ba5b0; --rule: #2d343b; --shade: #1f2429;
            --line: #2dd4bf; --area: #2dd4bf26; --good: #2dd4bf; --bad: #f98a7d; --bad-paper: #2b1a18;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0; background: var(--paper); color: var(--ink); font-size: 1rem; line-height: 1.5;
          font-family: system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif;
        }
        main { max-width: 52rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
        h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0; font-weight: 650; }
        h2 { font-size: 1.2rem; margin: 0 0 0.25rem; font-weight: 650; }
        p { margin: 0 0 0.75rem; }
        section { margin-top: 3rem; }
        section > p, .none { color: var(--muted); }
        section > p strong { color: var(--ink); font-weight: 650; }
        .eyebrow { color: var(--muted); font-size: 0.85rem; margin: 0 0 0.35rem; }
        .ending { display: inline-flex; align-items: center; gap: 0.5em; margin: 0.6rem 0 0; font-weight: 550; }
        .ending::before { content: ""; width: 0.6em; height: 0.6em; border-radius: 50%; background: currentColor; }
        .good { color: var(--good); }
        .ending.bad, .numbers .bad dd { color: var(--bad); }
        .failure {
          margin: 0.9rem 0 0; padding: 0.7rem 1rem; border-left: 3px solid var(--bad); background: var(--bad-paper);
          overflow-wrap: anywhere;
        }
        .numbers {
          display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1.25rem 1.5rem;
          margin: 2rem 0 0; padding: 1.25rem 0; border-block: 1px solid var(--rule);
        }
        .numbers dt { color: var(--muted); font-size: 0.85rem; }
        .numbers dd { margin: 0; font-size: 1.3rem; font-weight: 600; line-height: 1.4; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .numbers small { font-size: 0.65em; font-weight: 450; color: var(--muted); white-space: nowrap; }
        .below { display: block; font-size: 0.85rem; font-weight: 400; color: var(--muted); white-space: normal; }
        figure { margin: 1rem 0 0; }
        figcaption { color: var(--muted); font-size: 0.85rem; font-variant-numeric: tabular-nums; }
        figure > svg { display: block; width: 100%; height: auto; }
        svg text {
          font-size: 12px; fill: var(--muted); paint-order: stroke; stroke: var(--paper); stroke-width: 3px;
          stroke-linejoin: round; font-variant-numeric: tabular-nums;
        }
        .grid { stroke: var(--rule); }
        .axis { stroke: var(--muted); }
        .line { fill: none; stroke: var(--line); stroke-width: 2; stroke-linejoin: round; }
        .area { fill: var(--area); }
        .shade { fill: var(--shade); }
        .mark line { stroke: var(--bad); stroke-dasharray: 3 3; }
        .mark circle { fill: var(--bad); }
        .multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.25rem 2rem; }
        .multiples figure { margin: 0; }
        .multiples b { color: var(--ink); font-weight: 600; margin-right: 0.4em; }
        .scroll { overflow-x: auto; margin-top: 1rem; }
        table { border-collapse: collapse; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
        caption { text-align: left; color: var(--muted); font-size: 0.85rem; padding-bottom: 0.5rem; }
        th, td { padding: 0.45rem 0 0.45rem 1.25rem; text-align: right; white-space: nowrap; font-weight: 400; }
        th:first-child, td:first-child { padding-left: 0; text-align: left; }
        thead th { color: var(--muted); border-bottom: 1px solid var(--muted); }
        tbody tr + tr > * { border-top: 1px solid var(--rule); }
        .failures th, .failures td { text-align: left; vertical-align: top; }
        .failures .message { white-space: normal; min-width: 18rem; width: 100%; overflow-wrap: anywhere; }
        .bars .bar { width: 100%; }
        .bars th:nth-child(2) { text-align: left; }
        .bars svg { display: block; width: 100%; height: 0.6rem; border-radius: 2px; }
        .track { fill: var(--shade); }
        .fill { fill: var(--line); }
        .particulars { display: grid; grid-template-columns: max-content 1fr; gap: 0.35rem 1.5rem; margin: 1rem 0 0; font-size: 0.9rem; }
        .particulars dt { color: var(--muted); }
        .particulars dd { margin: 0; overflow-wrap: anywhere; }
        @media (max-width: 40rem) {
          main { padding: 1.5rem 1rem 3rem; }
          h1 { font-size: 1.6rem; }
          figure > svg text { font-size: 20px; }
          .multiples svg text { font-size: 13px; }
          .particulars { grid-template-columns: 1fr; gap: 0; }
          .particulars dd { margin-bottom: 0.6rem; }
        }
        @media print { section { break-inside: avoid; } }

        """
}
