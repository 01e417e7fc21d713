// The Vercel AI SDK, with the provider named on the command line: `openai` or `openai-compatible`.

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import * as to from "./speaking.js";

const kind = process.argv[2];
const providers = {
  // `.chat`, because the provider's own choice is the Responses API.
  openai: (apiKey) => createOpenAI({ baseURL: to.BASE_URL, apiKey }).chat,
  "openai-compatible": (apiKey) =>
    createOpenAICompatible({
      name: "steadyhand",
      baseURL: to.BASE_URL,
      apiKey,
      includeUsage: true,
      supportsStructuredOutputs: true,
    }),
};
const given = (name, { key = to.KEY, maxRetries = 0, ...options } = {}) => ({
  model: providers[kind](key)(name),
  prompt: to.ASK,
  maxRetries,
  onError: () => {}, // else the SDK writes errors of streams to the console
  ...options,
});

const Weather = z.object({ city: z.string(), celsius: z.number(), sky: z.enum(["clear", "cloudy"]) });
const usage = (counted) => ({ input: counted.inputTokens, output: counted.outputTokens });

function equipped(calls) {
  const weather = tool({
    description: "Say how warm it is in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async (args) => {
      calls.push({ called: "weather", arguments: args });
      return `${to.FACT} in ${args.city}`;
    },
  });
  return { tools: { weather }, stopWhen: stepCountIs(3) };
}

async function ask(model, options) {
  const { onError, ...wanted } = given(model, options);
  const answer = await generateText(wanted);
  return { text: answer.text, finish: answer.finishReason, usage: usage(answer.usage) };
}

// Its `textStream` ends like a whole one when the stream broke; `fullStream` has the error.
async function read(model, options) {
  const result = streamText(given(model, options));
  const pieces = [];
  for await (const part of result.fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "text-delta") pieces.push(part.text);
  }
  return { pieces, usage: usage(await result.totalUsage) };
}

const shaped = { output: Output.object({ schema: Weather }) };
const titles = { openai: "Vercel AI SDK", "openai-compatible": "Vercel AI SDK, any gateway" };

await to.main(titles[kind], `@ai-sdk/${kind}`, {
  plain: () => ask(to.ROUTE),
  stream: () => read(to.STEADY),
  async tools() {
    const calls = [];
    return { ...(await ask(to.STEADY, equipped(calls))), ...calls[0] };
  },
  async tools_streamed() {
    const calls = [];
    const { pieces } = await read(to.STEADY, equipped(calls));
    return { text: pieces.join(""), ...calls[0] };
  },
  async tools_at_once() {
    const tools = { weather: equipped([]).tools.weather, news: tool({ inputSchema: z.object({ topic: z.string() }) }) };
    const answer = await generateText(given(to.PARALLEL, { tools }));
    const streamed = [];
    for await (const part of streamText(given(to.PARALLEL, { tools })).fullStream) {
      if (part.type === "tool-call") streamed.push(part.toolName);
    }
    return { plain: answer.toolCalls.map((call) => call.toolName), streamed };
  },
  async structured() {
    return (await generateText(given(to.STEADY, shaped))).output;
  },
  async structured_streamed() {
    return (await to.collect(streamText(given(to.STEADY, shaped)).partialOutputStream)).at(-1);
  },
  async cut_told_to_readers() {
    let told;
    const onError = ({ error }) => (told = error.message);
    const result = streamText(given(to.CUT, { onError }));
    const pieces = await to.collect(result.textStream);
    return { pieces, told, finish: await result.finishReason };
  },
  cut_call: () => to.caught(() => read(to.CUT_CALL, equipped([]))),
  ...to.asking(ask),
  ...to.reading(read),
});
