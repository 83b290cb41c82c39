import { type BalancerSettings, stickyMinutes } from './settings.ts';

/** The target group of an AWS Application Load Balancer, as CloudFormation; its nodes register themselves. */
export function albConfig(settings: BalancerSettings): string {
  const stickiness = settings.isSticky
    ? [
        ['stickiness.enabled', "'true'"],
        ['stickiness.type', 'lb_cookie'],
        ['stickiness.lb_cookie.duration_seconds', `'${stickyMinutes(settings) * 60}'`],
      ]
    : [['stickiness.enabled', "'false'"]];
  const attributes = [
    ['deregistration_delay.timeout_seconds', `'${settings.drainSeconds}'`],
    ['load_balancing.algorithm.type', 'least_outstanding_requests'],
    ...stickiness,
  ].map(([key, value]) => `        - { Key: ${key}, Value: ${value} }`);
  return `# Target group of an AWS Application Load Balancer; set idle_timeout.timeout_seconds of the balancer to 3600 for streams of events.
# Its probes are 5 s apart at least: give the nodes a drain-delay of 15 s (RHO: /quorate/drain-delay->15000).
Parameters:
  Vpc: { Type: 'AWS::EC2::VPC::Id' }
Resources:
  Nodes:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      VpcId: !Ref Vpc
      Port: 8080
      Protocol: HTTP
      TargetType: ip
      HealthCheckPath: ${settings.healthPath}
      HealthCheckIntervalSeconds: 5
      HealthCheckTimeoutSeconds: 2
      HealthyThresholdCount: 2
      UnhealthyThresholdCount: 2
      Matcher: { HttpCode: '200' }
      TargetGroupAttributes:
${attributes.join('\n')}
`;
}
