/** All that draws messages: a chunk of its own, since nobody sees one before there is one. */
export { AnswerView } from './answer.tsx';
export { QuestionView } from './question.tsx';
