// A dense autoencoder with ReLU, sigmoid output, mean squared error and Adam in plain JavaScript: the alternative.

/** widths: of all layers, input and output included; weights lie as (inputs, outputs). Returns a function that takes a step on a batch (rows, F). */
export function network(widths, rows, rate) {
  const layers = widths.slice(1).map((outputs, k) => {
    const inputs = widths[k],
      most = Math.sqrt(6 / (inputs + outputs)),
      count = inputs * outputs + outputs;
    const w = Float32Array.from({ length: count }, (_, i) =>
      i < inputs * outputs ? most * (2 * Math.random() - 1) : 0,
    );
    const [g, m, v] = [0, 0, 0].map(() => new Float32Array(count));
    return { inputs, outputs, w, g, m, v, y: new Float32Array(rows * outputs), d: new Float32Array(rows * outputs) };
  });
  const code = layers.length / 2 - 1;
  let steps = 0;
  return (x) => {
    let input = x;
    layers.forEach(({ inputs, outputs, w, y }, k) => {
      const bias = inputs * outputs;
      for (let r = 0; r < rows; r++) {
        const to = r * outputs;
        for (let o = 0; o < outputs; o++) y[to + o] = w[bias + o];
        for (let i = 0; i < inputs; i++) {
          const value = input[r * inputs + i];
          if (value === 0) continue; // most of a picture is black
          for (let o = 0, from = i * outputs; o < outputs; o++) y[to + o] += value * w[from + o];
        }
        if (k === layers.length - 1) for (let o = 0; o < outputs; o++) y[to + o] = 1 / (1 + Math.exp(-y[to + o]));
        else if (k !== code) for (let o = 0; o < outputs; o++) y[to + o] = Math.max(0, y[to + o]);
      }
      input = y;
    });
    const last = layers[layers.length - 1];
    let loss = 0;
    for (let i = 0; i < x.length; i++) {
      const away = last.y[i] - x[i];
      loss += (away * away) / x.length;
      last.d[i] = (2 / x.length) * away * last.y[i] * (1 - last.y[i]);
    }
    steps++;
    const [first, second] = [1 - 0.9 ** steps, 1 - 0.95 ** steps];
    for (let k = layers.length - 1; k >= 0; k--) {
      const { inputs, outputs, w, g, m, v, d } = layers[k],
        below = layers[k - 1],
        from = below?.y ?? x;
      g.fill(0);
      for (let r = 0; r < rows; r++) {
        const at = r * outputs;
        for (let o = 0; o < outputs; o++) g[inputs * outputs + o] += d[at + o];
        for (let i = 0; i < inputs; i++) {
          const value = from[r * inputs + i],
            own = i * outputs;
          if (value !== 0) for (let o = 0; o < outputs; o++) g[own + o] += value * d[at + o];
          if (!below) continue;
          let sum = 0;
          for (let o = 0; o < outputs; o++) sum += d[at + o] * w[own + o];
          below.d[r * inputs + i] = sum;
        }
      }
      if (below && k - 1 !== code) for (let i = 0; i < below.d.length; i++) if (below.y[i] <= 0) below.d[i] = 0;
      for (let i = 0; i < w.length; i++) {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
        w[i] -= (rate * m[i]) / first / (Math.sqrt(v[i] / second) + 1e-8);
      }
    }
    return loss;
  };
}
