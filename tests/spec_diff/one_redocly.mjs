// Runs Redocly's command line again and again in one process: each line of standard input is a JSON array, the folder
// to run in before the arguments; each line of standard output is what that run has said. Loading Redocly takes far
// longer than a comparison.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const write = process.stdout.write.bind(process.stdout);
const once = process.once.bind(process);
const exit = process.exit.bind(process);
const script = process.argv[2];
let said = { stdout: '', stderr: '' };
let ended = () => {};
let runs = 0;

for (const name of ['stdout', 'stderr']) {
  process[name].write = (text) => {
    said[name] += text;
    return true;
  };
}
// The last thing that a command does is to ask for the process's end once there is nothing left to do.
process.once = (event, listener) => (event === 'beforeExit' ? listener() : once(event, listener));
process.exit = (code) => ended(code);

for await (const line of createInterface({ input: process.stdin })) {
  const [folder, ...options] = JSON.parse(line);
  process.chdir(folder);
  process.argv = [process.execPath, script, ...options];
  said = { stdout: '', stderr: '' };
  const end = new Promise((resolve) => {
    ended = resolve;
  });
  // Another query makes another module of it, which reads its arguments anew.
  runs += 1;
  await import(`${pathToFileURL(script).href}?${runs}`);
  const returncode = await end;
  write(`${JSON.stringify({ ...said, returncode })}\n`);
}
// What Redocly leaves open would hold the process for some seconds.
exit(0);
