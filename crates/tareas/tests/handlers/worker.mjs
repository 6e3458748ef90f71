/** A worker in JavaScript: does what the payload of each task says. */

import { Rejected, Retry, Worker } from "../../../../clients/js/src/index.js";

const app = new Worker(process.argv[2], { name: "w", concurrency: 4 });

app.task("javascript", async (asked, context) => {
  const isFirst = context.attempt === 1;
  if (asked.do === "fail" || (asked.do === "again" && isFirst)) throw new Error("broken");
  if (asked.do === "reject") throw new Rejected("wrong");
  if (asked.do === "later" && isFirst) throw new Retry("busy", { afterMs: 1_000 });
  if (asked.do === "chat") {
    context.progress(50, "half");
    context.log("hello");
    context.output("so far");
  }
  if (["hang", "wait", "chat"].includes(asked.do)) await context.sleep(60_000);
  if (asked.do === "talk") {
    context.progress(50, "half");
    context.log("hello");
  }
  return asked.value;
});

await app.run();
