// Runs one execution of a state machine with the npm package aws-local-stepfunctions. Reads from standard input
//   {"definition": {…}, "input": {…}, "execution": {"Id": …, "Name": …}, "tasks": URL}
// and writes {"output": …} or {"error": …, "cause": …}. Every task is a POST to tasks, which answers with
// {"result": …} or {"error": …, "cause": …}.

// Node 20 lacks this function, which the package calls.
Promise.withResolvers ??= () => {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
};

const { StateMachine } = require('aws-local-stepfunctions');

class TaskError extends Error {
  constructor(name, cause) {
    super(cause);
    this.name = name;
  }
}

// states calls each with the name and the definition of every state, at every depth.
function states(machine, each) {
  for (const [name, state] of Object.entries(machine.States)) {
    each(name, state);
    for (const inner of [...(state.Branches ?? []), state.ItemProcessor].filter(Boolean)) states(inner, each);
  }
}

async function main() {
  let text = '';
  for await (const piece of process.stdin) text += piece;
  const { definition, input, execution, tasks } = JSON.parse(text);
  const handlers = {}, retries = {}, waits = {};
  states(definition, (name, state) => {
    // The package puts the result under a member named "$". By the specification "$" is the default, which it knows.
    if (state.ResultPath === '$') delete state.ResultPath;
    if (state.Type === 'Wait') waits[name] = 200;
    if (state.Retry) retries[name] = 100;
    if (state.Type !== 'Task') return;
    if (handlers[name]) throw new Error(`two tasks are named ${name}`);
    handlers[name] = async (parameters) => {
      const body = JSON.stringify({ resource: state.Resource, parameters, timeout: state.TimeoutSeconds, heartbeat: state.HeartbeatSeconds });
      const answer = await (await fetch(tasks, { method: 'POST', body })).json();
      if (answer.error) throw new TaskError(answer.error, answer.cause);
      return answer.result;
    };
  });
  // The package gives every task the same context. The server that carries out a task replaces the token.
  const context = { Execution: execution, State: { RetryCount: 0 }, Task: { Token: 'token' } };
  const overrides = { taskResourceLocalHandlers: handlers, waitTimeOverrides: waits, retryIntervalOverrides: retries };
  try {
    const output = await new StateMachine(definition).run(input, { overrides, context }).result;
    return { output };
  } catch (failed) {
    const of = failed.cause ?? failed;
    return { error: of.name, cause: of.message };
  }
}

main().then((answer) => process.stdout.write(JSON.stringify(answer), () => process.exit(0)));
