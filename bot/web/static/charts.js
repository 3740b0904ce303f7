// Draws the charts of a page from the JSON beside them. The numbers stand in a table too, so nothing depends on this.
"use strict";
(() => {
  const page = getComputedStyle(document.body);
  const colour = (name) => page.getPropertyValue(`--${name}`).trim(); // light or dark, as the page is
  const BLUE = colour("accent"), LATE = colour("late"), GREEN = colour("calm"), SOFT = colour("soft"), LINE = colour("line");
  const size = Math.round(parseFloat(page.fontSize) * 0.8);
  const text = { fontSize: size, color: SOFT };
  const narrow = window.innerWidth < 700;
  const base = {
    animation: false,
    textStyle: { fontFamily: page.fontFamily, fontSize: size, color: SOFT },
    tooltip: { trigger: "axis", renderMode: "richText" }, // no markup from data, no inline style
    grid: { left: 48, right: 52, top: 36, bottom: 32 },
  };
  const kinds = {
    spans: (rows) => ({
      ...base,
      xAxis: { type: "category", data: rows.map((r) => r.span), axisLabel: { ...text, interval: 0, rotate: narrow ? 30 : 0 } },
      yAxis: { type: "value", minInterval: 1, axisLabel: text, splitLine: { lineStyle: { color: LINE } } },
      grid: { ...base.grid, right: 16, bottom: narrow ? 64 : 32 },
      series: [{
        name: "件数", type: "bar", label: { show: true, position: "top", color: SOFT, fontSize: size },
        data: rows.map((r) => ({ value: r.count, itemStyle: { color: r.late ? LATE : BLUE } })),
      }],
    }),
    trend: (rows) => ({
      ...base,
      legend: { top: 0, textStyle: text },
      xAxis: { type: "category", data: rows.map((r) => r.label), axisLabel: text },
      yAxis: [
        { type: "value", minInterval: 1, axisLabel: text, splitLine: { lineStyle: { color: LINE } } },
        { type: "value", min: 0, max: 100, axisLabel: { ...text, formatter: "{value}%" }, splitLine: { show: false } },
      ],
      series: [
        { name: "派单", type: "bar", data: rows.map((r) => r.dispatched), itemStyle: { color: BLUE, opacity: 0.45 } },
        { name: "按时率%", type: "line", yAxisIndex: 1, connectNulls: false, itemStyle: { color: GREEN },
          data: rows.map((r) => (r.on_time_rate === null ? null : Math.round(r.on_time_rate * 1000) / 10)) },
        { name: "平均用时（分）", type: "line", itemStyle: { color: LATE },
          data: rows.map((r) => (r.mean_seconds === null ? null : Math.round(r.mean_seconds / 6) / 10)) },
      ],
    }),
  };
  for (const place of document.querySelectorAll("[data-chart]")) {
    const rows = JSON.parse(document.getElementById(place.dataset.source).textContent);
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(kinds[place.dataset.chart](rows));
    new ResizeObserver(() => chart.resize()).observe(place);
  }
})();
