/** The prometheus provider against a real VictoriaMetrics, which speaks the same API and differs in places. */
import { describe } from 'vitest';
import { realVictoriaMetrics } from '../real/victoria-metrics.ts';
import { httpApiSuite } from './prometheus.suite.ts';

describe('provider prometheus at VictoriaMetrics', () => httpApiSuite(realVictoriaMetrics, true));
