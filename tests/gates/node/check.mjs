// Answers many questions in one process. In (stdin, JSON): {"machines": {name: definition},
// "policies": {name: [document]}, "resourcePolicies": {name: document}, "questions": [{"id", "principal", "action",
// "resource", "account", "context", "policies", "boundary", "resourcePolicy"}]}. Out: {"machines": {name: [text]},
// "answers": {id: text}}.
import { createRequire } from 'node:module'

const input = JSON.parse(await new Response(process.stdin).text())
// Each is loaded only when it is asked: both take half a second to load.
const validate = Object.keys(input.machines).length ? createRequire(import.meta.url)('asl-validator') : null
const { runSimulation } = input.questions.length ? await import('@cloud-copilot/iam-simulate') : {}

const machines = {}
for (const [name, definition] of Object.entries(input.machines)) {
  const { isValid, errors } = validate(definition)
  machines[name] = isValid ? [] : errors.map((error) => `${error['Error code']} ${error.Message}`)
}

const documents = (name) => (input.policies[name] ?? []).map((policy, index) => ({ name: `${index}`, policy }))
const answers = {}
for (const question of input.questions) {
  const outcome = await runSimulation(
    {
      request: {
        principal: question.principal,
        action: question.action,
        resource: { resource: question.resource, accountId: question.account },
        contextVariables: question.context,
      },
      identityPolicies: documents(question.policies),
      permissionBoundaryPolicies: question.boundary ? documents(question.boundary) : undefined,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: input.resourcePolicies[question.resourcePolicy],
    },
    {}
  )
  answers[question.id] =
    outcome.resultType === 'error' ? `Refused: ${JSON.stringify(outcome.errors)}` : outcome.overallResult
}

process.stdout.write(JSON.stringify({ machines, answers }))
