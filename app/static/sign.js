// The signature pad: pointer events draw, the hidden field beside holds the strokes as JSON in the pad's own pixels.
(function () {
  "use strict";
  const PEN = 2.4;
  const LEAST_STEP = 1.5;

  function read(text) {
    try {
      const body = JSON.parse(text);
      return Array.isArray(body.strokes) ? body : null;
    } catch {
      return null;
    }
  }

  function pad(box) {
    const canvas = box.querySelector("canvas");
    const field = box.querySelector("input[type=hidden]");
    const undo = box.querySelector("[data-pad-undo]");
    const clear = box.querySelector("[data-pad-clear]");
    const hint = box.querySelector("[data-pad-hint]");
    const pen = canvas.getContext("2d");
    let drawing = null;
    let drawn = read(field.value) || { width: 0, height: 0, strokes: [] };

    function draw() {
      const shown = canvas.getBoundingClientRect();
      if (!shown.width) return;
      const dense = window.devicePixelRatio || 1;
      canvas.width = Math.round(shown.width * dense);
      canvas.height = Math.round(shown.height * dense);
      const scale = drawn.width ? Math.min(shown.width / drawn.width, shown.height / drawn.height) : 1;
      pen.setTransform(dense * scale, 0, 0, dense * scale, 0, 0);
      pen.lineWidth = PEN;
      pen.lineCap = pen.lineJoin = "round";
      pen.strokeStyle = "#111";
      for (const stroke of drawn.strokes) line(stroke, 0);
    }

    function line(stroke, from) {
      pen.beginPath();
      pen.moveTo(...stroke[from]);
      for (const point of stroke.slice(from)) pen.lineTo(...point);
      pen.stroke();
    }

    function place(event) {
      // In the pixels of the pad as it was at the first stroke: a phone that is turned keeps what was written.
      const shown = canvas.getBoundingClientRect();
      const scale = Math.min(shown.width / drawn.width, shown.height / drawn.height);
      const round = (value) => Math.round((value / scale) * 10) / 10;
      return [round(event.clientX - shown.left), round(event.clientY - shown.top)];
    }

    function keep() {
      field.value = drawn.strokes.length ? JSON.stringify(drawn) : "";
      undo.disabled = clear.disabled = !drawn.strokes.length;
      hint.hidden = drawn.strokes.length > 0;
    }

    canvas.addEventListener("pointerdown", (event) => {
      if (drawing || (event.pointerType === "mouse" && event.button !== 0)) return;
      event.preventDefault();
      if (!drawn.strokes.length) {
        const shown = canvas.getBoundingClientRect();
        drawn = { width: Math.round(shown.width), height: Math.round(shown.height), strokes: [] };
        draw();
      }
      canvas.setPointerCapture(event.pointerId);
      drawing = { id: event.pointerId, stroke: [place(event)] };
      drawn.strokes.push(drawing.stroke);
      line(drawing.stroke, 0);
    });

    canvas.addEventListener("pointermove", (event) => {
      if (!drawing || event.pointerId !== drawing.id) return;
      event.preventDefault();
      const several = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const one of several.length ? several : [event]) {
        const point = place(one);
        const last = drawing.stroke[drawing.stroke.length - 1];
        if (Math.hypot(point[0] - last[0], point[1] - last[1]) < LEAST_STEP) continue;
        drawing.stroke.push(point);
        line(drawing.stroke, drawing.stroke.length - 2);
      }
    });

    function lift(event) {
      if (!drawing || event.pointerId !== drawing.id) return;
      drawing = null;
      keep();
    }
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);

    undo.addEventListener("click", () => {
      drawn.strokes.pop();
      keep();
      draw();
    });
    clear.addEventListener("click", () => {
      drawn.strokes = [];
      keep();
      draw();
    });
    new ResizeObserver(draw).observe(canvas);
    keep();
    draw();
  }

  document.querySelectorAll("[data-pad]").forEach(pad);
})();
