/** Submits tasks, shows what becomes of them while it happens, and lets them be given up. */

import { connect, TaskCancelled } from "./tareas/index.js";

const form = document.querySelector("#form");
const server = document.querySelector("#server");
const rows = document.querySelector("#tasks");

const client = await connect();
const { version, threads, workers } = await client.hello();
server.textContent = `Connected to tareas ${version}: ${threads} threads, ${workers} workers`;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { kind, payload } = Object.fromEntries(new FormData(form));
  const row = new Row(kind);
  try {
    const task = await client.submit(kind, payload === "" ? null : JSON.parse(payload));
    row.accepted(task);
    row.ended("succeeded", JSON.stringify(await task.result()));
  } catch (error) {
    row.ended(error instanceof TaskCancelled ? "cancelled" : "failed", error.message);
  }
});

/** One task on the page. Everything is set as text: a result may hold anything. */
class Row {
  constructor(kind) {
    const row = rows.insertRow(0);
    [this.name, this.state, this.result, this.action] = Array.from({ length: 4 }, () => row.insertCell());
    this.name.textContent = kind;
    this.state.textContent = "sending";
  }

  accepted(task) {
    this.state.textContent = "accepted";
    this.name.title = task.id;
    const cancel = Object.assign(document.createElement("button"), { textContent: "Cancel" });
    cancel.addEventListener("click", () => task.cancel().catch((error) => (this.result.textContent = error.message)));
    this.action.append(cancel);
    this.log = new EventSource(`/v1/tasks/${task.id}/log`);
    this.log.addEventListener("progress", ({ data }) => {
      const { percent, message } = JSON.parse(data);
      this.state.textContent = `${percent} % ${message}`;
    });
    this.log.addEventListener("log", ({ data }) => (this.result.textContent = JSON.parse(data).line));
    this.log.addEventListener("end", () => this.log.close());
  }

  ended(state, text) {
    this.log?.close();
    this.state.textContent = state;
    this.result.textContent = text;
    this.action.replaceChildren();
  }
}
