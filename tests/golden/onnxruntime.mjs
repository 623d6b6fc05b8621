// Runs an ONNX file in ONNX Runtime (npm: onnxruntime-web) and compares every output with the arrays that ./measure
// dumped. Called by exchange.py.
//
// usage: node onnxruntime.mjs NODE_MODULES MODEL.onnx IMAGES.npy DUMP LAYOUT
import fs from "fs";
import { createRequire } from "module";

const [modules, model, images, dump, layout] = process.argv.slice(2);
const ort = createRequire(`${modules}/`)("onnxruntime-web");
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

function readNpy(path) {
  const bytes = fs.readFileSync(path);
  const header = bytes.subarray(10, 10 + bytes.readUInt16LE(8)).toString();
  if (!header.includes("'<f4'")) throw new Error(`${path}: not float32`);
  const dims = header.match(/\(([^)]*)\)/)[1].split(",").filter((part) => part.trim()).map(Number);
  const data = bytes.subarray(10 + bytes.readUInt16LE(8));
  return { dims, values: new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length)) };
}

// Channels second: the place in the output of value i of an array with the channels last.
function place(i, [, height, width, channels]) {
  const pixels = height * width, example = Math.floor(i / (pixels * channels));
  return (example * channels + (i % channels)) * pixels + (Math.floor(i / channels) % pixels);
}

const input = readNpy(images);
const session = await ort.InferenceSession.create(fs.readFileSync(model));
const outputs = await session.run({ image: new ort.Tensor("float32", input.values, input.dims) });
for (const name of session.outputNames) {
  const ours = readNpy(`${dump}/${name}.npy`), theirs = outputs[name].data;
  const turned = ours.dims.length === 4 && layout === "channels-first";
  let largest = 0, error = 0;
  ours.values.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    error = Math.max(error, Math.abs(value - theirs[turned ? place(i, ours.dims) : i]));
  });
  if (theirs.length !== ours.values.length || Number.isNaN(error)) error = Infinity;
  console.log(`${name} ${error / Math.max(1, largest)} ${largest}`);
}
