// The official package `openai` for Node.

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

import * as to from "./speaking.js";

const messages = [{ role: "user", content: to.ASK }];
const Weather = z.object({ city: z.string(), celsius: z.number(), sky: z.enum(["clear", "cloudy"]) });
const named = (name, argument) => ({
  type: "function",
  function: {
    name,
    parameters: { type: "object", properties: { [argument]: { type: "string" } }, required: [argument] },
  },
});
const tool = named("weather", "city");

const client = ({ key = to.KEY, maxRetries = 0 } = {}) =>
  new OpenAI({ baseURL: to.BASE_URL, apiKey: key, maxRetries, timeout: 60_000 });
const call = (body, options) => client(options).chat.completions.create({ model: to.STEADY, messages, ...body });
const usage = (counted) => ({ input: counted.prompt_tokens, output: counted.completion_tokens });

async function ask(model, options) {
  const answer = await call({ model }, options);
  const [choice] = answer.choices;
  return { text: choice.message.content, finish: choice.finish_reason, usage: usage(answer.usage) };
}

async function read(model) {
  const chunks = await to.collect(await call({ model, stream: true, stream_options: { include_usage: true } }));
  const pieces = chunks.map((chunk) => chunk.choices[0]?.delta?.content).filter(Boolean);
  return { pieces, usage: usage(chunks.findLast((chunk) => chunk.usage).usage) };
}

async function told(message) {
  const wanted = message.tool_calls[0];
  const args = JSON.parse(wanted.function.arguments);
  const result = { role: "tool", tool_call_id: wanted.id, content: `${to.FACT} in ${args.city}` };
  const answer = await call({ tools: [tool], messages: [...messages, message, result] });
  return { called: wanted.function.name, arguments: args, text: answer.choices[0].message.content };
}

const shaped = { model: to.STEADY, messages, response_format: zodResponseFormat(Weather, "weather") };

await to.main("OpenAI for Node", "openai", {
  plain: () => ask(to.ROUTE),
  stream: () => read(to.STEADY),
  async tools() {
    return told((await call({ tools: [tool] })).choices[0].message);
  },
  async tools_streamed() {
    const stream = client().chat.completions.stream({ model: to.STEADY, messages, tools: [tool] });
    return told((await stream.finalChatCompletion()).choices[0].message);
  },
  async tools_at_once() {
    const body = { model: to.PARALLEL, messages, tools: [tool, named("news", "topic")] };
    const names = (answer) => answer.choices[0].message.tool_calls.map((wanted) => wanted.function.name);
    const stream = client().chat.completions.stream(body);
    return { plain: names(await call(body)), streamed: names(await stream.finalChatCompletion()) };
  },
  async tools_run_by_the_client() {
    let called;
    const run = (args) => {
      called = { called: "weather", arguments: args };
      return `${to.FACT} in ${args.city}`;
    };
    const runner = client().chat.completions.runTools({
      model: to.STEADY,
      messages,
      tools: [{ type: "function", function: { ...tool.function, function: run, parse: JSON.parse } }],
    });
    return { text: await runner.finalContent(), ...called };
  },
  async structured() {
    return (await client().chat.completions.parse(shaped)).choices[0].message.parsed;
  },
  async structured_streamed() {
    const stream = client().chat.completions.stream(shaped);
    return (await stream.finalChatCompletion()).choices[0].message.parsed;
  },
  cut_call: () =>
    to.caught(async () => to.collect(await call({ model: to.CUT_CALL, stream: true, tools: [tool] }))),
  ...to.asking(ask),
  ...to.reading(read),
});
