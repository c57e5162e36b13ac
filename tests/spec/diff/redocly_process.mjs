// Runs Redocly's command line many times in one process, because loading Redocly takes far longer than a comparison.
// Each line of standard input is a JSON array: the folder to run in, then the arguments. Each line of standard output is
// the output of that run.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const write = process.stdout.write.bind(process.stdout);
const once = process.once.bind(process);
const exit = process.exit.bind(process);
const script = process.argv[2];
let output = { stdout: '', stderr: '' };
let ended = () => {};
let runs = 0;

for (const name of ['stdout', 'stderr']) {
  process[name].write = (text) => {
    output[name] += text;
    return true;
  };
}
// A command ends with a listener for the end of the process, so that listener is called at once.
process.once = (event, listener) => (event === 'beforeExit' ? listener() : once(event, listener));
process.exit = (code) => ended(code);

for await (const line of createInterface({ input: process.stdin })) {
  const [folder, ...options] = JSON.parse(line);
  process.chdir(folder);
  process.argv = [process.execPath, script, ...options];
  output = { stdout: '', stderr: '' };
  const end = new Promise((resolve) => {
    ended = resolve;
  });
  // With another query the module is loaded again and reads its new arguments.
  runs += 1;
  await import(`${pathToFileURL(script).href}?${runs}`);
  const returncode = await end;
  write(`${JSON.stringify({ ...output, returncode })}\n`);
}
// Redocly leaves handles open that would delay the end by some seconds.
exit(0);
