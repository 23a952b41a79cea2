// The network, run in plain JavaScript: 28 x 28 values in, eleven probabilities out. digitre/recognition/packed.py has the
// form of its file.

const MAGIC = "digitre2";
const KINDS = ["conv", "pool", "dense", "softmax"];

// A network that this module doesn't know how to run: ask the server then.
export class UnknownNetworkError extends Error {}

// Fetch a packed network, and unpack it if it is compressed.
export async function fetchNetwork(url) {
  const response = await fetch(url);
  if (response.status === 404) throw new UnknownNetworkError(`There is no network at ${url}`);
  if (!response.ok) throw new Error(`The network at ${url} did not arrive: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return new Network(bytes[0] === 0x1f && bytes[1] === 0x8b ? await gunzip(bytes) : bytes);
}

async function gunzip(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The ten digits' probabilities of what the last layer returned; they sum to less than 1.
export function digitsOf(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return Float64Array.from(values.subarray(0, 10), (value) => (value / sum) * (1 - 1e-12));
}

export class Network {
  #layers;

  // `bytes` is the file as a Uint8Array. Throws UnknownNetworkError.
  constructor(bytes) {
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const text = (from, to) => new TextDecoder().decode(new Uint8Array(buffer, from, to - from));
    if (bytes.length < 12 || text(0, 8) !== MAGIC) {
      throw new UnknownNetworkError("This file is not a packed network.");
    }
    const start = 12 + new DataView(buffer).getUint32(8, true);
    const { model, layers } = JSON.parse(text(12, start));
    if (!layers.every(({ kind }) => KINDS.includes(kind))) {
      throw new UnknownNetworkError("The network has layers that this version doesn't know.");
    }
    this.model = model; // its version, such as "digitre-b9d69c6d"
    this.#layers = layers.map((layer) => prepare(layer, buffer, start));
  }

  // What each layer makes of a picture: [{ kind, shape, values }], where a shape is [height, width, channels] or [values].
  trace(pixels) {
    let values = pixels;
    return this.#layers.map(({ kind, outputShape, run }) => {
      values = run(values);
      return { kind, shape: outputShape, values: values.slice() };
    });
  }

  // The ten digits' probabilities of a picture: 784 floats from 0 to 1, ink bright. Zeros for a blank one.
  classify(pixels) {
    if (!pixels.some((value) => value !== 0)) return new Float64Array(10);
    let values = pixels;
    for (const layer of this.#layers) values = layer.run(values);
    return digitsOf(values);
  }
}

function prepare(layer, buffer, start) {
  const { kind, shape } = layer;
  if (kind === "softmax") return { kind, outputShape: [], run: softmax };
  if (kind === "pool") {
    const outputShape = [shape[0] >> 1, shape[1] >> 1, shape[2]];
    const output = new Float32Array(outputShape[0] * outputShape[1] * outputShape[2]);
    return { kind, outputShape, run: (input) => pool(input, output, shape) };
  }
  const [outputs, ...inner] = layer.of;
  const length = inner.reduce((one, other) => one * other, 1);
  const floats = (place, count) => new Float32Array(buffer, start + place, count);
  const bias = floats(layer.bias, outputs);
  let weights;
  if (layer.scales === undefined) {
    weights = floats(layer.weights, outputs * length);
  } else {
    const bytes = new Int8Array(buffer, start + layer.weights, outputs * length);
    const scales = floats(layer.scales, outputs);
    weights = new Float32Array(bytes.length);
    const rest = layer.rest && new Uint8Array(buffer, start + layer.rest, Math.ceil(bytes.length / 2));
    for (let k = 0; k < bytes.length; k += 1) {
      const sixteenths = rest ? ((rest[k >> 1] >> (4 * (k & 1))) & 15) - 8 : 0;
      weights[k] = (bytes[k] + sixteenths / 16) * scales[(k / length) | 0];
    }
  }
  const steps = new Float32Array(shape.reduce((one, other) => one * other, 1));
  const taken = (input) => (layer.steps ? toSteps(input, steps) : input);
  if (kind === "dense") {
    const output = new Float32Array(outputs);
    const run = (input) => dense(taken(input), output, weights, bias, layer.relu);
    return { kind, outputShape: [outputs], run };
  }
  const size = [shape[0] - inner[0] + 1, shape[1] - inner[1] + 1];
  const output = new Float32Array(size[0] * size[1] * outputs);
  const details = { shape, inner, size, weights, bias, relu: layer.relu };
  return { kind, outputShape: [...size, outputs], run: (input) => convolve(taken(input), output, details) };
}

// A convolution without a border: the inputs under the window become one row, then it is a full connection.
function convolve(input, output, { shape, inner, size, weights, bias, relu }) {
  const [, width, channels] = shape;
  const [high, wide] = inner;
  const window = new Float32Array(high * wide * channels);
  const outputs = bias.length;
  for (let y = 0, place = 0; y < size[0]; y += 1) {
    for (let x = 0; x < size[1]; x += 1, place += outputs) {
      for (let row = 0; row < high; row += 1) {
        const from = ((y + row) * width + x) * channels;
        window.set(input.subarray(from, from + wide * channels), row * wide * channels);
      }
      dense(window, output.subarray(place, place + outputs), weights, bias, relu);
    }
  }
  return output;
}

// The inputs of weights in eight bits, as on the server: 256 steps, one of them 0.
function toSteps(input, output) {
  let [least, largest] = [0, 0];
  for (const value of input) {
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  const step = (largest - least) / 255 || 1;
  const zero = Math.round(-least / step);
  for (let k = 0; k < input.length; k += 1) {
    output[k] = (Math.min(255, Math.max(0, Math.round(input[k] / step) + zero)) - zero) * step;
  }
  return output;
}

// Four outputs at once, since that keeps a processor busy.
function dense(input, output, weights, bias, relu) {
  const inputs = input.length;
  const outputs = bias.length;
  let k = 0;
  for (; k + 4 <= outputs; k += 4) {
    let one = bias[k];
    let two = bias[k + 1];
    let three = bias[k + 2];
    let four = bias[k + 3];
    const first = k * inputs;
    const second = first + inputs;
    const third = second + inputs;
    const fourth = third + inputs;
    for (let j = 0; j < inputs; j += 1) {
      const value = input[j];
      one += value * weights[first + j];
      two += value * weights[second + j];
      three += value * weights[third + j];
      four += value * weights[fourth + j];
    }
    output[k] = one;
    output[k + 1] = two;
    output[k + 2] = three;
    output[k + 3] = four;
  }
  for (; k < outputs; k += 1) {
    let sum = bias[k];
    for (let j = 0; j < inputs; j += 1) sum += input[j] * weights[k * inputs + j];
    output[k] = sum;
  }
  if (relu) for (let j = 0; j < outputs; j += 1) if (output[j] < 0) output[j] = 0;
  return output;
}

// The largest of each 2 x 2.
function pool(input, output, [height, width, channels]) {
  let place = 0;
  for (let y = 0; y + 1 < height; y += 2) {
    for (let x = 0; x + 1 < width; x += 2) {
      const above = (y * width + x) * channels;
      const below = above + width * channels;
      for (let c = 0; c < channels; c += 1, place += 1) {
        const upper = Math.max(input[above + c], input[above + channels + c]);
        output[place] = Math.max(upper, input[below + c], input[below + channels + c]);
      }
    }
  }
  return output;
}

function softmax(input) {
  const largest = Math.max(...input);
  const values = Float64Array.from(input, (value) => Math.exp(value - largest));
  const sum = values.reduce((one, other) => one + other, 0);
  return values.map((value) => value / sum);
}
